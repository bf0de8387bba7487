"""An installation in memory that exports into a folder; its background worker runs when a test says so."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from commonweal import api
from commonweal.access import OPERATOR, Agent, Permission
from commonweal.access.roles import ROLES, unbounded
from commonweal.api.bulk.running import Exporter
from commonweal.api.bulk.shelf import Shelf
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Lease
from commonweal.store.memory.store import MemoryStore

BASE = "http://test/fhir"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ASYNC = {"Prefer": "respond-async"}
FHIR = {"Content-Type": "application/fhir+json"}
ALL = ("*.read", "*.search", "*.history", "*.create", "*.update", "*.delete")
PERMISSIONS = (
    Permission("record.all", "Read and write everything", (OPERATOR, "colleague"), ALL),
    Permission("record.import", "Bring in history", (OPERATOR,)),
    Permission("record.export", "Export in bulk", (OPERATOR, "colleague", "narrow")),
    Permission("record.some", "Read patients", ("narrow",), ("Patient.read", "Patient.search")),
    Permission("record.reader", "Read everything", ("reader",), ("*.read", "*.search")),
)


async def authenticate(scope: Any) -> Agent:
    """The token is the role."""
    token = dict(scope["headers"]).get(b"authorization", b"Bearer nobody").decode().removeprefix("Bearer ")
    if token == "nobody":
        raise Problem.unauthenticated("there is no bearer token")
    return Agent(f"Practitioner/{token}", frozenset({token}))


class Clock:
    """One clock for all: it stands still between calls to `pass_`, but no two readings are the same."""

    def __init__(self) -> None:
        self.microseconds = int(START.timestamp() * 1_000_000)

    def pass_(self, seconds: float) -> None:
        self.microseconds += int(seconds * 1_000_000)

    def read(self) -> int:
        self.microseconds += 10
        return self.microseconds

    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.read())


class World:
    """The installation: its clients, its shelf and its worker."""

    def __init__(self, folder: Path) -> None:
        ids = count(1)
        self.clock = Clock()
        self.store = MemoryStore(self.clock.read)
        self.shelf = Shelf(folder / "exports")
        self.holder = 1
        self.platform = Platform(
            Catalogue([], {}, PERMISSIONS, roles=ROLES | unbounded("colleague", "narrow", "reader")),
            self.store,
            self.clock.now,
            lambda: f"new{next(ids):06}",
            _unheard,
            _here,
        )
        self.app = api.app(self.platform, authenticate, exports=self.shelf)

    def client(self, role: str = OPERATOR) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {role}"}
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    def exporter(
        self, moment: float = 60, settled: "Callable[[int], Awaitable[None]] | None" = None
    ) -> Exporter:
        """The worker; a new `holder` is a new process that has taken the lease over."""

        async def take(name: str) -> Lease | None:
            return Lease(name, f"process {self.holder}", self.holder, 0)

        async def at_once(time: int) -> None:
            """One writer at a time: there is never anything open."""

        return Exporter(self.platform, self.shelf, take, settled or at_once, moment)

    async def work(self) -> None:
        """All that is to be done."""
        exporter = self.exporter()
        while await exporter.tick():
            pass

    async def put(self, client: httpx.AsyncClient, *resources: dict[str, Any]) -> None:
        for each in resources:
            answer = await client.put(
                f"/{each['resourceType']}/{each['id']}", content=codec.encode(each), headers=FHIR
            )
            assert answer.status_code in (200, 201), answer.text

    async def manifest(self, client: httpx.AsyncClient, path: str, **how: Any) -> dict[str, Any]:
        """Kick off, let the worker work, and ask how it went."""
        how["headers"] = {**ASYNC, **how.get("headers", {})}
        begun = await (client.post if "content" in how else client.get)(path, **how)
        assert begun.status_code == 202, begun.text
        await self.work()
        answer = await client.get(begun.headers["content-location"])
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def lines(self, client: httpx.AsyncClient, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Everything in some files of a manifest, which state their counts truly."""
        found: list[dict[str, Any]] = []
        for item in items:
            answer = await client.get(item["url"])
            assert answer.headers["content-type"] == "application/fhir+ndjson"
            lines = [codec.parse(line) for line in answer.content.splitlines()]
            assert len(lines) == item["count"]
            assert {each["resourceType"] for each in lines} == {item["type"]}
            found += lines
        return found

    async def exported(self, client: httpx.AsyncClient, path: str, **how: Any) -> list[str]:
        """References of all that an export gives, sorted."""
        told = await self.manifest(client, path, **how)
        return sorted(
            f"{each['resourceType']}/{each['id']}" for each in await self.lines(client, told["output"])
        )


async def _unheard(signal: object) -> None:
    """Nobody listens."""


async def _here(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def parameters(**values: Any) -> dict[str, Any]:
    """A POST of a Parameters resource."""
    said = [
        {"name": name, **each}
        for name, given in values.items()
        for each in (given if isinstance(given, list) else [given])
    ]
    return {"content": codec.encode({"resourceType": "Parameters", "parameter": said}), "headers": FHIR}


def patient(id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, **more}


def observation(id: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "pulse"},
        "subject": {"reference": subject},
        **more,
    }

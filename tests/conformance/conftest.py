"""The FHIR interface over the record in memory, for the conformance and hostile tests."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.access import Agent, Permission
from commonweal.access.roles import unbounded
from commonweal.api.app import Api
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue, Definitions
from commonweal.platform.platform import Platform
from commonweal.platform.service import Operation, Service
from commonweal.platform.work import Work
from commonweal.store.memory.store import MemoryStore

BASE = "http://test/fhir"
SHIPPED = {
    "resourceType": "SearchParameter",
    "id": "patient-nickname",
    "url": "http://example.org/SearchParameter/patient-nickname",
    "name": "nickname",
    "status": "active",
    "description": "The name a patient goes by.",
    "code": "nickname",
    "base": ["Patient"],
    "type": "string",
    "expression": "Patient.name.where(use = 'nickname').given",
}


async def echo(work: Work, parameters: dict[str, Any]) -> dict[str, Any]:
    """An operation that gives back what it is given."""
    return parameters


ECHO = Service(
    name="echo",
    title="Echo",
    permissions=[Permission("echo.ask", "Ask the echo", ("tester",), ("*",))],
    operations=[
        Operation("$echo", "echo.ask", echo, "Give back the parameters", affects_state=False),
        Operation("Patient/$shout", "echo.ask", echo, "Give back the parameters, and change something"),
    ],
)
TESTER = Agent("Practitioner/tester", frozenset({"tester"}))


async def authenticate(scope: Any) -> Agent:
    """Whoever brings the token "good" is the tester."""
    if dict(scope["headers"]).get(b"authorization") != b"Bearer good":
        raise Problem.unauthenticated("there is no bearer token")
    return TESTER


def platform() -> Platform:
    """A platform over an empty record in memory."""
    ids = count(1)

    async def tell(signal: object) -> None:
        """Nobody listens."""

    async def compute(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    return Platform(
        Catalogue([ECHO], {"echo": Definitions([SHIPPED])}, roles=unbounded("tester")),
        MemoryStore(),
        lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        lambda: f"new-{next(ids)}",
        tell,
        compute,
    )


@pytest.fixture
def fhir_app() -> Api:
    """The interface by itself."""
    return api.app(platform(), authenticate, limits=api.Limits(body_bytes=2_000_000, entries=60, page=100))


@pytest.fixture
async def fhir(fhir_app: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the interface who has signed in; an exception inside fails the test's own request."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(fhir_app),
        base_url=BASE,
        headers={"Authorization": "Bearer good", "Content-Type": "application/fhir+json"},
    ) as client:
        yield client

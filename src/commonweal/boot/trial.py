"""The whole platform on a record in memory, with a clock that is set by hand: for tests and for trying things."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from commonweal import web
from commonweal.access.agent import OPERATOR, Agent
from commonweal.boot import discovery
from commonweal.boot.dispatch import Dispatcher
from commonweal.boot.ids import new_id
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity, Message
from commonweal.identity.parameters import Argon2, Parameters
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Feed
from commonweal.platform.signal import Signal
from commonweal.platform.status import Status
from commonweal.platform.unit import Unit
from commonweal.store.drawers import MemoryDrawers, Sealer, SingleKey
from commonweal.store.memory import MemoryFeed, MemoryStore
from commonweal.store.memory.journal import MemoryJournal
from commonweal.web.language import ENGLISH
from commonweal.web.viewer import Viewer

Kept = Callable[[Callable[[], int]], tuple[Any, Feed]]
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday morning."""
KEY = b"the key of everything in a trial"
QUICK = Argon2(memory_kib=8, passes=1, lanes=1)
"""Passwords are hashed so weakly here that tests need not wait."""


class Trial:
    """An installation that forgets everything; `signals` are those that were sent, `messages` those to phones.

    `kept` makes, of the clock in microseconds, another store and its feed than those in memory.
    """

    def __init__(self, catalogue: Catalogue | None = None, kept: Kept | None = None) -> None:
        self.now = START
        self.signals: list[Signal] = []
        self._ids = count(1)
        self.store: Any
        self.feed: Feed
        self.store, self.feed = (kept or _in_memory)(self._microseconds)
        self.messages: list[Message] = []
        self.identity = Identity(
            MemoryDrawers(Sealer(SingleKey(KEY)), self._microseconds),
            self._microseconds,
            KEY,
            self.store.audit,
            self._deliver,
            _compute,
            "http://localhost",
            Parameters(argon2=QUICK),
        )
        self.platform = Platform(
            catalogue or discovery.catalogue(),
            self.store,
            lambda: self.now,
            new_id if kept else self._next_id,
            self._hear,
            _compute,
            journal=self.store.journal if kept else MemoryJournal(self.store),
        )

    def work(self, *roles: str, agent: Agent | None = None) -> Unit:
        """A unit of work of somebody in these roles, or of this agent; an operator when nobody is named."""
        return self.platform.work(agent or Agent("Practitioner/tester", frozenset(roles or {OPERATOR})))

    async def pass_time(self, **time: float) -> None:
        """Let so much time pass (days=1, hours=2 …), then do all that happens by itself."""
        self.now += timedelta(**time)
        await Dispatcher(self.platform, self.feed, "trial").settle()

    async def visit(
        self,
        path: str,
        form: Mapping[str, str | list[str]] | None = None,
        *,
        language: str = "en",
        role: str = OPERATOR,
        agent: Agent | None = None,
    ) -> httpx.Response:
        """A page as somebody in this role, or this agent, sees it; with a form, what comes of sending it from a
        page of ours.

        ValueError when the pages have not been built.
        """
        app = self.pages(lambda token: agent or _agent(token))
        session = f"as.{role}"
        sent = (
            {**form, "form": Viewer(None, ENGLISH, session=session).form_token()}
            if form is not None
            else None
        )
        cookies = {"commonweal": session, "language": language}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://trial", cookies=cookies
        ) as client:
            return await client.request("GET" if form is None else "POST", path, data=sent)

    def pages(self, authenticate: Callable[[str], Agent] | None = None) -> Starlette:
        """The application of the pages; "as." and a role are a token of somebody in that role."""
        return web.app(
            self.platform, authenticate or _agent, _no_status, folders=_folders(), identity=self.identity
        )

    def _next_id(self) -> str:
        return f"new-{next(self._ids)}"

    def _microseconds(self) -> int:
        return int(self.now.timestamp() * 1_000_000)

    async def _deliver(self, message: Message) -> None:
        self.messages.append(message)

    async def _hear(self, signal: Signal) -> None:
        self.signals.append(signal)


def _in_memory(clock: Callable[[], int]) -> tuple[MemoryStore, Feed]:
    store = MemoryStore(clock)
    return store, MemoryFeed(store, clock, delays=(0, 0), wall=clock)


def _folders() -> dict[str, Path]:
    return {each.name: discovery.folder(each.name) for each in discovery.services()}


def _agent(token: str) -> Agent:
    """Whoever comes with "as." and the name of a role is in that role."""
    if not token.startswith("as."):
        raise Problem.unauthenticated("it is not ours")
    return Agent("Practitioner/tester", frozenset({token.removeprefix("as.")}), name="Tester")


async def _no_status() -> Status:
    raise Problem.not_supported("a trial tells nothing of itself")


async def _compute(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)

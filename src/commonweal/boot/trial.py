"""The whole platform on a record in memory, with a clock that is set by hand: for tests and for trying things."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from commonweal.access.agent import OPERATOR, Agent
from commonweal.boot import discovery
from commonweal.boot.dispatch import Dispatcher
from commonweal.boot.ids import new_id
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Feed
from commonweal.platform.signal import Signal
from commonweal.platform.unit import Unit
from commonweal.store.memory import MemoryFeed, MemoryStore

Kept = Callable[[Callable[[], int]], tuple[Any, Feed]]
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday morning."""


class Trial:
    """An installation that forgets everything; `signals` are those that were sent.

    `kept` makes, of the clock in microseconds, another store and its feed than those in memory.
    """

    def __init__(self, catalogue: Catalogue | None = None, kept: Kept | None = None) -> None:
        self.now = START
        self.signals: list[Signal] = []
        self._ids = count(1)
        self.store: Any
        self.feed: Feed
        self.store, self.feed = (kept or _in_memory)(self._microseconds)
        self.platform = Platform(
            catalogue or discovery.catalogue(),
            self.store,
            lambda: self.now,
            new_id if kept else self._next_id,
            self._hear,
            _compute,
        )

    def work(self, *roles: str) -> Unit:
        """A unit of work of somebody in these roles; an operator when none is named."""
        return self.platform.work(Agent("Practitioner/tester", frozenset(roles or {OPERATOR})))

    async def pass_time(self, **time: float) -> None:
        """Let so much time pass (days=1, hours=2 …), then do all that happens by itself."""
        self.now += timedelta(**time)
        await Dispatcher(self.platform, self.feed, "trial").settle()

    def _next_id(self) -> str:
        return f"new-{next(self._ids)}"

    def _microseconds(self) -> int:
        return int(self.now.timestamp() * 1_000_000)

    async def _hear(self, signal: Signal) -> None:
        self.signals.append(signal)


def _in_memory(clock: Callable[[], int]) -> tuple[MemoryStore, Feed]:
    store = MemoryStore(clock)
    return store, MemoryFeed(store, clock, delays=(0, 0), wall=clock)


async def _compute(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)

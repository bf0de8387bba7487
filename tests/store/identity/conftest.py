"""Identity over both kinds of drawers, with a clock that is set by hand and cheap passwords."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from commonweal.identity.house import Identity, Message
from commonweal.identity.parameters import Argon2, Parameters
from commonweal.platform.ports import Audited
from commonweal.store.connection import Limits, connect
from commonweal.store.drawers import MemoryDrawers, PostgresDrawers, Sealer, SingleKey

START = 1_790_000_000_000_000
CHEAP = Argon2(memory_kib=64, passes=1, lanes=1)


class Clock:
    """Microseconds, set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


class Ring:
    """Keys that a test can turn."""

    def __init__(self) -> None:
        self.keys = [SingleKey(b"1" * 32, "first")]

    @property
    def current(self) -> Any:
        return self.keys[0].current

    def key(self, id: str) -> bytes | None:
        return next((found for each in self.keys if (found := each.key(id))), None)

    def turn(self) -> None:
        self.keys.insert(0, SingleKey(b"2" * 32, "second"))

    def forget(self) -> None:
        del self.keys[1:]


@dataclass
class House:
    """An identity and what it did."""

    clock: Clock
    identity: Identity = field(init=False)
    audited: list[Audited] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    async def audit(self, row: Audited) -> None:
        self.audited.append(row)

    async def send(self, message: Message) -> None:
        self.sent.append(message)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def memory_drawers(clock: Clock, ring: Ring) -> MemoryDrawers:
    return MemoryDrawers(Sealer(ring), clock)


@pytest_asyncio.fixture
async def postgres_drawers(database: str, clock: Clock, ring: Ring) -> AsyncIterator[PostgresDrawers]:
    pools = await connect(database, Limits(work_connections=8, search_connections=1))
    await pools.work.execute("delete from identity.drawer")
    try:
        yield PostgresDrawers(pools, Sealer(ring), clock)
    finally:
        await pools.close()


@pytest.fixture(params=["memory", "postgres"])
def drawers(request: pytest.FixtureRequest) -> Any:
    """Either kind, empty."""
    return request.getfixturevalue(f"{request.param}_drawers")


def housed(drawers: Any, clock: Clock) -> House:
    """An identity over these drawers."""
    house = House(clock)
    house.identity = Identity(
        drawers,
        clock,
        b"the key of these tests",
        house.audit,
        house.send,
        asyncio.to_thread,
        "https://commonweal.example",
        Parameters(argon2=CHEAP),
    )
    return house


@pytest.fixture
def house(memory_drawers: Any, clock: Clock) -> House:
    """Identity in memory."""
    return housed(memory_drawers, clock)


@pytest.fixture
def either(drawers: Any, clock: Clock) -> House:
    """Identity on either kind of drawers."""
    return housed(drawers, clock)

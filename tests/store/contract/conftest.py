"""One suite, two stores: every test here runs on the memory store and on PostgreSQL."""

import itertools
from typing import Any

import pytest

from commonweal.store.beside.feed import PostgresFeed
from commonweal.store.memory import MemoryFeed, MemoryStore
from tests.store.contract.speaking import Record

NUMBERS = itertools.count(1)


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Any:
    """Either store, empty or used before: tests make their own ids."""
    return request.getfixturevalue(f"{request.param}_store")


class Clock:
    """A clock that is set by hand, in microseconds."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(store: Any, clock: Clock) -> Any:
    """The feed of the store under test: it tries again at once, twice."""
    if isinstance(store, MemoryStore):
        return MemoryFeed(store, clock, delays=(0, 0))
    return PostgresFeed(store.pool, clock, delays=(0, 0))


@pytest.fixture
def fresh() -> str:
    """Begins every id and key of this test."""
    return f"t{next(NUMBERS)}-"


@pytest.fixture
def record(store: Any, fresh: str) -> Record:
    return Record(store, fresh)

"""The store in memory: one writer at a time on a copy, which becomes the record when it commits."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from commonweal.access.reach import EVERYTHING, Reach
from commonweal.fhir.search.query import Query
from commonweal.platform.balance import Movement
from commonweal.platform.ports import Audited, Change, Page, Scope, Stored, Timer
from commonweal.store import masking
from commonweal.store.audit.rows import hashed
from commonweal.store.beside import ledger
from commonweal.store.memory import history, search
from commonweal.store.memory.permitting import check
from commonweal.store.memory.sight import Sight
from commonweal.store.memory.state import State
from commonweal.store.memory.write import write
from commonweal.store.tokens import Tokens


def system_clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class MemoryRecords:
    """`Records` over one state."""

    def __init__(self, state: State, tokens: Tokens, bases: tuple[str, ...]) -> None:
        self.state = state
        self._tokens = tokens
        self._bases = bases

    async def now(self) -> int:
        return self.state.now

    async def get(self, references: Sequence[tuple[str, str]], reach: Reach) -> Sequence[Stored | None]:
        rows, sight = [self.state.current(type, id) for type, id in references], Sight(self.state, reach)
        return [masking.shown(row.stored, reach) if row and sight.sees(row) else None for row in rows]

    async def version(self, type: str, id: str, version: int, reach: Reach) -> Stored | None:
        for row in self.state.versions.get((type, id), ()):
            if row.stored.version == version and Sight(self.state, reach).sees(row):
                return masking.shown(row.stored, reach)
        return None

    async def search(self, query: Query, reach: Reach) -> Page:
        return search.page(self.state, query, reach)

    async def search_all(self, queries: Sequence[Query], reach: Reach) -> Sequence[Page]:
        return [search.first(self.state, query, reach) for query in queries]

    async def count(self, query: Query, reach: Reach) -> int:
        return len(search.matching(self.state, query, reach))

    async def history(self, scope: Scope, reach: Reach) -> Page:
        return history.page(self.state, scope, reach)

    async def write(
        self, changes: Sequence[Change], audited: Audited, reach: Reach = EVERYTHING
    ) -> Sequence[Stored]:
        check(self.state, changes, reach)
        stored = write(self.state, self._tokens, self._bases, changes, hashed(audited, self._tokens))
        return [masking.shown(each, reach) for each in stored]

    async def move(self, movements: Sequence[Movement]) -> None:
        ledger.check(movements)
        new = ledger.post(movements, self.state.held, self.state.postings)
        for posting in new:
            self.state.postings[posting.movement.key] = posting
            for account, amount in posting.entries():
                self.state.held[account] = self.state.held.get(account, 0) + amount

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        return {account: self.state.held.get(account, 0) for account in accounts}

    async def schedule(self, timers: Sequence[Timer], cancel: Sequence[str] = ()) -> None:
        for key in cancel:
            self.state.timers.pop(key, None)
        self.state.timers |= {timer.key: timer for timer in timers}

    async def lock(self, keys: Sequence[str]) -> None:
        """Nothing to do: there is one writer at a time."""


class MemoryStore:
    """The `Store` in memory. `clock` gives microseconds; `key` is that of the hashes which name patients; `bases`:
    Registry.bases."""

    def __init__(
        self, clock: Callable[[], int] = system_clock, key: bytes = b"", bases: tuple[str, ...] = ()
    ) -> None:
        self.clock = clock
        self.state = State(bases=bases)
        self.audited: list[tuple[int, Audited]] = []
        self.tokens = Tokens(key)
        self.bases = bases
        self._writing = asyncio.Lock()
        self._committed_now = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryRecords]:
        async with self._writing:
            records = MemoryRecords(self.state.begin(self.clock()), self.tokens, self.bases)
            yield records
            self.state = records.state
            self.audited += self.state.audit
            self._committed_now.set()
            self._committed_now = asyncio.Event()

    async def commits(self) -> AsyncIterator[None]:
        """At once, then after each commit; several between two looks are one."""
        while True:
            waiting = self._committed_now
            yield
            await waiting.wait()

    @property
    def _committed(self) -> MemoryRecords:
        return MemoryRecords(replace(self.state, now=self.clock()), self.tokens, self.bases)

    async def now(self) -> int:
        return self.clock()

    async def get(self, references: Sequence[tuple[str, str]], reach: Reach) -> Sequence[Stored | None]:
        return await self._committed.get(references, reach)

    async def version(self, type: str, id: str, version: int, reach: Reach) -> Stored | None:
        return await self._committed.version(type, id, version, reach)

    async def search(self, query: Query, reach: Reach) -> Page:
        return await self._committed.search(query, reach)

    async def search_all(self, queries: Sequence[Query], reach: Reach) -> Sequence[Page]:
        return await self._committed.search_all(queries, reach)

    async def count(self, query: Query, reach: Reach) -> int:
        return await self._committed.count(query, reach)

    async def history(self, scope: Scope, reach: Reach) -> Page:
        return await self._committed.history(scope, reach)

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        return await self._committed.balances(accounts)

    async def write(
        self, changes: Sequence[Change], audited: Audited, reach: Reach = EVERYTHING
    ) -> Sequence[Stored]:
        async with self.transaction() as records:
            return await records.write(changes, audited, reach)

    async def move(self, movements: Sequence[Movement]) -> None:
        async with self.transaction() as records:
            await records.move(movements)

    async def schedule(self, timers: Sequence[Timer], cancel: Sequence[str] = ()) -> None:
        async with self.transaction() as records:
            await records.schedule(timers, cancel)

    async def audit(self, row: Audited) -> None:
        """At once, even within somebody's transaction: a read is audited whatever becomes of the work."""
        self.audited.append((self.clock(), hashed(row, self.tokens)))

    async def scan(
        self, query: Query, reach: Reach, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[Stored]:
        for row in search.matching(self._committed.state, query, reach):
            if (since is None or row.stored.updated >= since) and (
                until is None or row.stored.updated < until
            ):
                yield masking.shown(row.stored, reach)

"""The record on PostgreSQL: the ports Store and Transaction, carried out by the files beside this one."""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg

from commonweal.access.reach import EVERYTHING, Reach
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import Query
from commonweal.platform.balance import Movement
from commonweal.platform.journal import Journal
from commonweal.platform.ports import Audited, Change, Page, Scope, Stored, Timer, Transaction
from commonweal.store import masking
from commonweal.store.audit import Auditor, PostgresJournal
from commonweal.store.audit.rows import hashed
from commonweal.store.beside import ledger, timers
from commonweal.store.codings import Codings
from commonweal.store.connection import Limits, Pools, borrowed, connect, insisting, translated
from commonweal.store.facts import Facts
from commonweal.store.permitting import Permitting
from commonweal.store.reads import circumstances, reading
from commonweal.store.reads.circumstances import Circumstances, Whom
from commonweal.store.reads.gathering import Gathered
from commonweal.store.reads.judging import Judge
from commonweal.store.reads.reaching import Reaches
from commonweal.store.reindexing.reindexer import Reindexer, Take
from commonweal.store.reindexing.unfinished import Unfinished, notice
from commonweal.store.searches import together
from commonweal.store.searches.clusters import Clusters
from commonweal.store.searches.history import History
from commonweal.store.searches.people.relinking import may_relink, relink
from commonweal.store.searches.searching import Searching
from commonweal.store.searches.selecting import Lenders, Row, Statement
from commonweal.store.tokens import Tokens
from commonweal.store.writes import gathering
from commonweal.store.writes.rows import Rows
from commonweal.store.writes.writing import Numbered, Writer, may_regrant, plan

Connection = Any
Result = TypeVar("Result")
Lent = AbstractAsyncContextManager[Connection]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Engine:
    """What the store and its transactions share: pools, hashes, facts and the compilers of statements."""

    def __init__(self, pools: Pools, key: bytes, facts: Facts) -> None:
        tokens = Tokens(key)
        self.pools = pools
        self.facts = facts
        self.bases = facts.registry.bases
        self.tokens = tokens
        self.judge = Judge(Reaches(tokens), facts.registry)
        self.permitting = Permitting(self.judge, self.bases)
        codings = Codings()
        self.rows = Rows(tokens, facts, codings)
        self.writer = Writer(self.rows, codings)
        self.clusters = Clusters()
        self.unfinished = Unfinished()
        self.searching = Searching(tokens, facts, self.judge, key, self.clusters, codings, self.unfinished)
        self.history = History(self.judge, facts, self.clusters, key)
        self.auditor = Auditor(pools.audit)
        self.gathered = {
            (type, known): Gathered(pools, reading.currently(type, known=known))
            for type in RESOURCE_TYPES
            for known in (False, True)
        }
        self.finding = Gathered(pools, together.rows)
        self.knowing = Gathered(pools, circumstances.about)
        self.creating = {type: gathering.Gathered(pools, self.writer) for type in RESOURCE_TYPES}

    async def write(
        self, connection: Connection, parts: Sequence[Numbered], audited: Audited, reach: Reach
    ) -> tuple[Sequence[Stored], bool]:
        """What was stored, in a transaction of the caller's, and whether it changes who is one person."""
        changes = [
            change for _, change in sorted((each for part in parts for each in part), key=itemgetter(0))
        ]
        if self.permitting.asks(reach):
            await self.permitting.check(connection, changes, reach)
        stored = [masking.shown(each, reach) for each in await self.writer.write(connection, parts, audited)]
        if not may_relink(changes, self.bases):
            return stored, False
        return stored, await relink(connection, self.tokens, self.bases, changes)


class _Records(ABC):
    """The calls that a store and a transaction have in common; they differ in whose connection is used."""

    _engine: Engine

    @abstractmethod
    def _work(self) -> Lent: ...

    @abstractmethod
    def _search(self) -> Lent: ...

    def _lenders(self) -> Lenders:
        return Lenders(self._work, self._search, self._know)

    async def _current(self, type: str, ids: Sequence[str], known: bool) -> reading.Found:
        async with self._work() as connection:
            return await reading.current(connection, type, ids, known=known)

    async def _know(self, whom: Collection[Whom]) -> Mapping[Whom, Circumstances]:
        async with self._work() as connection:
            return await circumstances.about(connection, whom)

    async def now(self) -> int:
        async with self._work() as connection:
            return int(await connection.fetchval("select record.now()"))

    async def get(self, references: Sequence[tuple[str, str]], reach: Reach) -> Sequence[Stored | None]:
        by_type: dict[str, list[str]] = {}
        for type, id in references:
            if type in RESOURCE_TYPES and _ID.fullmatch(id):
                by_type.setdefault(type, []).append(id)
        seen, sees = self._engine.judge.reaches.of(reach), self._engine.judge.sees
        found = {type: await self._current(type, ids, seen.asks_known) for type, ids in by_type.items()}
        rows = [(type, found.get(type, {}).get(id)) for type, id in references]
        return [
            masking.shown(reading.stored(type, row), reach) if row and sees(seen, type, row) else None
            for type, row in rows
        ]

    async def version(self, type: str, id: str, version: int, reach: Reach) -> Stored | None:
        if type not in RESOURCE_TYPES or not _ID.fullmatch(id) or not 0 < version < 2**31:
            return None
        seen, sees = self._engine.judge.reaches.of(reach), self._engine.judge.sees
        async with self._work() as connection:
            row = await reading.version(connection, type, id, version, known=seen.asks_known)
        if row is None or not sees(seen, type, row):
            return None
        return masking.shown(reading.stored(type, row), reach)

    async def search(self, query: Query, reach: Reach) -> Page:
        return await self._engine.searching.page(query, reach, self._lenders())

    async def search_all(self, queries: Sequence[Query], reach: Reach) -> Sequence[Page]:
        return await self._engine.searching.first(queries, reach, self._lenders())

    async def count(self, query: Query, reach: Reach) -> int:
        return await self._engine.searching.count(query, reach, self._lenders())

    async def history(self, scope: Scope, reach: Reach) -> Page:
        return await self._engine.history.page(scope, reach, self._work)

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        async with self._work() as connection:
            return await ledger.balances(connection, accounts)

    async def move(self, movements: Sequence[Movement]) -> None:
        async with self._work() as connection:
            await ledger.move(connection, movements)

    async def schedule(self, timers_: Sequence[Timer], cancel: Sequence[str] = ()) -> None:
        async with self._work() as connection:
            await timers.schedule(connection, timers_, cancel)


class PostgresTransaction(_Records):
    """Calls on one connection inside one transaction, READ COMMITTED.

    Not a stricter level, because a snapshot taken before `lock` was granted would show the facts as they
    were before: each statement sees what was committed when it began, and what a rule depends on is held by
    `lock`. What is written is locked row by row, so no update is ever lost.
    """

    def __init__(self, engine: Engine, connection: Connection) -> None:
        self._engine = engine
        self._connection = connection
        self._searches = False
        self.relinked = False

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[Connection]:
        yield self._connection

    @asynccontextmanager
    async def _search(self) -> AsyncIterator[Connection]:
        if not self._searches:
            milliseconds = int(self._engine.pools.limits.search_seconds * 1000)
            await self._connection.execute(
                f"set local plan_cache_mode = force_custom_plan; set local statement_timeout = {milliseconds}"
            )
            self._searches = True
        yield self._connection

    async def lock(self, keys: Sequence[str]) -> None:
        ordered = sorted(self._engine.tokens.self(key) for key in set(keys))
        await self._connection.execute(
            "select pg_advisory_xact_lock(key) from unnest($1::int8[]) key", ordered
        )

    async def write(
        self, changes: Sequence[Change], audited: Audited, reach: Reach = EVERYTHING
    ) -> Sequence[Stored]:
        audited = hashed(audited, self._engine.tokens)
        async with self._connection.transaction():
            stored, relinked = await self._engine.write(self._connection, plan(changes), audited, reach)
        self.relinked |= relinked
        return stored


class PostgresStore(_Records):
    """The record; each call of its own is one transaction. Open it with `PostgresStore.open`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    async def open(
        cls,
        dsn: str,
        key: bytes,
        registry: Registry,
        *,
        connections: int = 12,
        search_seconds: float = 10,
    ) -> "PostgresStore":
        """Over a migrated database; `key` is the installation's index key. Problem 503 without a server."""
        pools = await connect(
            dsn, Limits(connections, max(2, connections // 2), search_seconds=search_seconds)
        )
        async with borrowed(pools.work, pools.limits) as connection:
            facts = await Facts.load(connection, registry)
            await notice(connection, facts)
            engine = Engine(pools, key, facts)
            await engine.unfinished.refresh(connection)
        return cls(engine)

    @property
    def pool(self) -> asyncpg.Pool:
        """The pool that the feed and the blobs share with the record."""
        return self._engine.pools.work

    @property
    def pools(self) -> Pools:
        """The connections, for what is kept beside the record: the drawers of identity."""
        return self._engine.pools

    @property
    def journal(self) -> Journal:
        """What can be asked of the audit."""
        return PostgresJournal(self._engine.pools, self._engine.tokens)

    def _lenders(self) -> Lenders:
        return Lenders(self._work, self._search, self._know, self._find)

    async def _find(self, statement: Statement) -> Sequence[Row]:
        return (await self._engine.finding.get((statement,)))[statement]

    def _work(self) -> Lent:
        return borrowed(self._engine.pools.work, self._engine.pools.limits)

    def _search(self) -> Lent:
        return borrowed(self._engine.pools.search, self._engine.pools.limits)

    async def _current(self, type: str, ids: Sequence[str], known: bool) -> reading.Found:
        return await self._engine.gathered[type, known].get(ids)

    async def _know(self, whom: Collection[Whom]) -> Mapping[Whom, Circumstances]:
        return await self._engine.knowing.get(whom)

    async def write(
        self, changes: Sequence[Change], audited: Audited, reach: Reach = EVERYTHING
    ) -> Sequence[Stored]:
        parts, audited = plan(changes), hashed(audited, self._engine.tokens)
        plain = all(each.method == "create" for each in changes) and not may_regrant(changes)
        is_one = len(parts) <= 1 and plain and not may_relink(changes, self._engine.bases)
        alone = changes[0] if is_one and len(changes) == 1 else None
        is_judged = self._engine.permitting.asks(reach)
        if alone and alone.method == "create" and alone.type in RESOURCE_TYPES:
            if is_judged:
                await self._engine.permitting.check_new(self._know, changes, reach)
            gathered = self._engine.creating[alone.type]
            return [masking.shown(await insisting(lambda: gathered.create(alone, audited)), reach)]

        async def attempt() -> Sequence[Stored]:
            async with self._work() as connection:
                if is_one and not is_judged:
                    return await self._engine.writer.write(connection, parts, audited)
                async with connection.transaction():
                    stored, relinked = await self._engine.write(connection, parts, audited, reach)
            if relinked:
                self._engine.clusters.look_again()
            return stored

        return await insisting(attempt)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._work() as connection:
            transaction = PostgresTransaction(self._engine, connection)
            try:
                async with connection.transaction():
                    yield transaction
            finally:
                if transaction.relinked:
                    self._engine.clusters.look_again()

    async def run(self, block: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run a block in a transaction of its own, and again when another transaction was in its way."""

        async def attempt() -> Result:
            async with self.transaction() as transaction:
                return await block(transaction)

        return await insisting(attempt)

    async def audit(self, row: Audited) -> None:
        with translated():
            await self._engine.auditor.write(hashed(row, self._engine.tokens))

    async def scan(
        self, query: Query, reach: Reach, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[Stored]:
        async for each in self._engine.searching.scan(query, reach, since, until, self._lenders()):
            yield each

    def reindexer(self, take: Take) -> Reindexer:
        """What indexes anew the rows written before a search parameter came or changed."""
        return Reindexer(self._engine.pools, self._engine.rows, self._engine.facts, take)

    async def close(self) -> None:
        """Finish what is under way and leave."""
        await self._engine.auditor.close()
        await self._engine.pools.close()

"""Indexes types anew, a batch of rows at a time: whoever goes on begins where the last one stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from commonweal.access.relationship import GRANTING
from commonweal.fhir import codec
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.platform.ports import Change, Lease
from commonweal.platform.status import Reindexing
from commonweal.store.access import keeping, places
from commonweal.store.agreement import COLUMNS, UNREADABLE, compared, ranges_of
from commonweal.store.connection import Pools, borrowed
from commonweal.store.facts import Facts
from commonweal.store.named import statement
from commonweal.store.reads.reading import used_types
from commonweal.store.reindexing.marks import fingerprint, marks
from commonweal.store.reindexing.unfinished import WAITING, begin
from commonweal.store.writes import batch
from commonweal.store.writes.rows import Row, Rows

Connection = Any
Found = Mapping[str, Any]
Take = Callable[[str], Awaitable[Lease | None]]
BATCH = 250
"""Rows that are read, compared and written together."""
LEASE = "reindex"
SECONDS = 5
"""For which the lease is to be taken: some batches."""

NEXT = "select type, at from record.reindex where fingerprint = any($1::int8[]) order by since, type limit 1"
GO_ON = """
update record.reindex set at = $3, seen = seen + $4, changed = changed + $5
where type = $1 and at = $2 and fingerprint = any($6::int8[])"""
HOLD = """
select r.key from record."{type}" r join unnest($1::int8[], $2::int4[]) w (key, version) using (key, version)
where not r.deleted order by r.id for update of r"""
DONE = "delete from record.reindex where type = $1 and at = $2 and fingerprint = any($3::int8[])"

log = structlog.get_logger("commonweal.reindex")


class Reindexer:
    """`take` takes or prolongs a lease by its name. Rows are only written where something differs, and only at
    the version that was read; nothing else of them changes, and nobody is told."""

    def __init__(self, pools: Pools, rows: Rows, facts: Facts, take: Take) -> None:
        self._pools = pools
        self._rows = rows
        self._facts = facts
        self._take = take
        bases = facts.registry.bases
        self._ours = [fingerprint(marks(facts.of(type), bases)) for type in sorted(RESOURCE_TYPES)]

    async def waiting(self) -> list[Reindexing]:
        """What is still to be done, in order."""
        async with self._connection() as connection:
            return [Reindexing(*row) for row in await connection.fetch(WAITING)]

    async def ask(self, types: Iterable[str] | None = None) -> None:
        """Look at every row of these types (None: of all) again, whether or not a parameter has changed."""
        async with self._connection() as connection, connection.transaction():
            for type in await used_types(connection) if types is None else types:
                await begin(connection, self._facts, type)

    async def tick(self) -> bool:
        """One batch; False when there is nothing to do, or another process does it."""
        async with self._connection() as connection:
            first = await connection.fetchrow(NEXT, self._ours)
        if first is None or await self._take(LEASE) is None:
            return False
        async with self._connection() as connection:
            await self._batch(connection, first["type"], first["at"])
        return True

    def _connection(self) -> Any:
        return borrowed(self._pools.work, self._pools.limits)

    async def _batch(self, connection: Connection, type: str, at: int) -> None:
        text = f'select {COLUMNS} from record."{type}" where not deleted and key > $1 order by key limit $2'
        found = await connection.fetch(text, at, BATCH)
        ranges = await ranges_of(connection, [row["key"] for row in found])
        made = await asyncio.to_thread(self._made, type, found, ranges)
        differing = [(row, wanted) for row, wanted, faults in made if faults]
        if differing:
            await self._write(connection, type, differing)
        await self._keep(connection, type, [(row, wanted) for row, wanted, _ in made])
        if len(found) == BATCH:
            told = found[-1]["key"], len(found), len(differing)
            await connection.execute(GO_ON, type, at, *told, self._ours)
        else:
            await connection.execute(DONE, type, at, self._ours)
            log.info("indexed anew", type=type)

    def _made(
        self, type: str, found: Sequence[Found], ranges: Mapping[int, Any]
    ) -> list[tuple[Found, Row, list[str]]]:
        """Rows, each with what it should be, and in what it is not."""
        made = []
        for row in found:
            try:
                wanted, faults = compared(
                    self._rows, self._facts.registry, type, row, ranges.get(row["key"], [])
                )
            except UNREADABLE:
                log.exception("cannot be indexed", type=type, id=row["id"])
                continue
            made.append((row, wanted, faults))
        return made

    async def _keep(self, connection: Connection, type: str, made: Sequence[tuple[Found, Row]]) -> None:
        """What the rows grant and where places lie, of those that are still as they were read."""
        if type not in GRANTING and type != "Location":
            return
        async with connection.transaction():
            versions = [row["key"] for row, _ in made], [row["version"] for row, _ in made]
            held = {row["key"] for row in await connection.fetch(HOLD.format(type=type), *versions)}
            still = [(row, wanted) for row, wanted in made if row["key"] in held]
            if type == "Location":
                changes = [Change("update", type, row["id"], codec.parse(row["body"])) for row, _ in still]
                bases = self._facts.registry.bases
                await places.keep(connection, self._rows.tokens, bases, changes, refusing=False)
            else:
                await keeping.keep(connection, [(wanted.self, wanted.granted) for _, wanted in still])

    async def _write(self, connection: Connection, type: str, differing: Sequence[tuple[Found, Row]]) -> None:
        values = batch.arguments([wanted for _, wanted in differing], ())
        values["key"] = [row["key"] for row, _ in differing]
        values["version"] = [row["version"] for row, _ in differing]
        reindex = statement("writes", "reindex", type)
        await connection.execute(reindex.text, *reindex.arguments(values))

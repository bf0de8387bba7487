"""The audit: rows of concurrent readers share one commit and are durable before the answer leaves."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from commonweal.platform.ports import Audited

Connection = Any
LARGEST = 256
"""Rows of one commit."""
ROOM = 2048
"""Rows that may wait for one; whoever comes later waits outside."""

WRITE = """
insert into beside.audit
    (work, agent, purpose, interaction, type, query, because, outcome, entities, patients)
select work, agent, purpose, interaction, type, query, because, outcome,
       string_to_array(entities, ' '), patients::int8[]
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int2[],
            $9::text[], $10::text[])
    as a (work, agent, purpose, interaction, type, query, because, outcome, entities, patients)"""
READ = """
select xid, seq, at, work, agent, purpose, interaction, type, query, because, outcome, entities, patients
from beside.audit
where ($1::int8 is null or patients @> array[$1]) and ($2::text is null or agent = $2)
  and ($3::text is null or work = $3) and at >= $4 and at < $5
order by xid desc, seq desc limit $6"""
FOREVER = 2**63 - 1


def columns(rows: Sequence[Audited]) -> tuple[list[Any], ...]:
    """The arguments of WRITE."""
    return tuple(list(column) for column in zip(*map(_row, rows), strict=True))


def _row(row: Audited) -> tuple[Any, ...]:
    patients = "{" + ",".join(map(str, row.patients)) + "}"
    return (
        row.work,
        row.agent,
        row.purpose,
        row.interaction,
        row.type,
        row.query,
        row.because,
        row.outcome,
        " ".join(row.entities),
        patients,
    )


class Auditor:
    """Writes audit rows in groups: while one commit is under way, those who come share the next one.

    A lone reader waits for one commit only; under load the groups grow by themselves.
    """

    def __init__(self, pool: asyncpg.Pool, room: int = ROOM) -> None:
        self._pool = pool
        self._room = asyncio.Semaphore(room)
        self._waiting: deque[tuple[Audited, asyncio.Future[None]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def write(self, row: Audited) -> None:
        """Returns once the row is durable; raises what kept it from being so."""
        async with self._room:
            durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((row, durable))
            if self._writer is None:
                self._writer = asyncio.create_task(self._write_all())
            await durable

    async def close(self) -> None:
        """Wait until everything accepted has been written."""
        if self._writer is not None:
            await self._writer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(LARGEST, len(self._waiting)))]
                await self._write(group)
        finally:
            self._writer = None

    async def _write(self, group: Sequence[tuple[Audited, "asyncio.Future[None]"]]) -> None:
        try:
            await self._pool.execute(WRITE, *columns([row for row, _ in group]))
        except (UnicodeError, asyncpg.DataError):
            await self._write_one_by_one(group)
        except Exception as error:
            for _, durable in group:
                if not durable.done():
                    durable.set_exception(error)
        else:
            for _, durable in group:
                if not durable.done():
                    durable.set_result(None)

    async def _write_one_by_one(self, group: Sequence[tuple[Audited, "asyncio.Future[None]"]]) -> None:
        """One row holds text that PostgreSQL does not take: it is cleaned, and harms none of the others."""
        for row, durable in group:
            try:
                await self._pool.execute(WRITE, *columns([clean(row)]))
            except Exception as error:
                if not durable.done():
                    durable.set_exception(error)
            else:
                if not durable.done():
                    durable.set_result(None)


def clean(row: Audited) -> Audited:
    """The same row without NUL and half characters, which arrive in hostile queries."""

    def text(value: str) -> str:
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")

    return replace(
        row,
        work=text(row.work),
        agent=text(row.agent),
        purpose=text(row.purpose),
        interaction=text(row.interaction),
        type=text(row.type),
        query=text(row.query),
        because=text(row.because),
        entities=tuple(text(each) for each in row.entities),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """An audit row as it is kept: where it stands in the chain, when it was written, and the row."""

    key: str
    at: int
    row: Audited


async def read(
    connection: Connection,
    *,
    patient: int | None = None,
    agent: str | None = None,
    work: str | None = None,
    since: int = 0,
    until: int = FOREVER,
    limit: int = 100,
) -> list[Entry]:
    """Newest first: who saw this patient (keyed hash), what an agent did, what one work did."""
    rows = await connection.fetch(READ, patient, agent, work, since, until, limit)
    return [_entry(row) for row in rows]


def _entry(row: Any) -> Entry:
    audited = Audited(
        row["work"],
        row["agent"],
        row["purpose"],
        row["interaction"],
        row["type"],
        row["query"],
        tuple(row["entities"]),
        tuple(row["patients"]),
        row["because"],
        row["outcome"],
    )
    return Entry(f"{row['xid']}-{row['seq']}", row["at"], audited)

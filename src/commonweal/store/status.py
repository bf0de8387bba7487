"""How the record is doing: read-only, in bounded time; what would be dear to count is estimated and says so."""

from typing import Any

from commonweal.platform.status import Count, Held, Reader, Reindexing, Status
from commonweal.store.connection import Limits, borrowed
from commonweal.store.reads.reading import used_types
from commonweal.store.reindexing.unfinished import WAITING

Connection = Any
EXACTLY = 20_000
"""Tables that the database believes to be smaller than this are counted."""
MOST = 10_000
"""Rows that are waiting are counted up to here."""
NOW = "(extract(epoch from clock_timestamp()) * 1000000)::int8"

DATABASE = f"""
select {NOW} as at, current_setting('server_version') as version,
       pg_database_size(current_database()) as bytes"""
BELIEVED = """
select relname, reltuples::int8 as rows from pg_class
where relnamespace = 'record'::regnamespace and relkind = 'r' and relname = any($1::text[])"""
READERS = f"""
select r.name, ahead.behind, ahead.oldest,
       (select count(*) from beside.waiting w where w.reader = r.name and w.parked) as parked
from beside.reader r cross join lateral (
    select count(*) as behind, min(at) as oldest from (
        select at from beside.outbox o where (o.xid, o.seq) > (r.xid, r.seq) order by xid, seq limit {MOST + 1}
    ) first) ahead
order by r.name"""
LEASES = "select name, holder, until from beside.lease where name !~ '^every:' order by name"
TIMERS = (
    f"select count(*) as set, count(*) filter (where due <= {NOW}) as due, min(due) as next from beside.timer"
)
AUDIT = f"""
with last as (select xid, seq from beside.seal order by xid desc, seq desc limit 1)
select (select at from beside.audit order by xid desc, seq desc limit 1) as audited,
       (select a.at from beside.audit a join last using (xid, seq)) as sealed,
       (select count(*) from (
            select from beside.audit a
            where (a.xid, a.seq) > (coalesce((select xid from last), '0'), coalesce((select seq from last), 0))
            limit {MOST + 1}) open) as unsealed"""


async def told(pool: Any) -> Status:
    """Everything at one moment; Problem 503 when the database is away."""
    async with borrowed(pool, Limits()) as connection:
        return await _told(connection)


async def _told(connection: Connection) -> Status:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        database = await connection.fetchrow(DATABASE)
        timers = await connection.fetchrow(TIMERS)
        audit = await connection.fetchrow(AUDIT)
        return Status(
            database["at"],
            f"PostgreSQL {database['version']}",
            database["bytes"],
            await _counts(connection),
            [_reader(row) for row in await connection.fetch(READERS)],
            [Held(*row) for row in await connection.fetch(LEASES)],
            timers["set"],
            timers["due"],
            timers["next"],
            audit["audited"],
            audit["sealed"],
            min(audit["unsealed"], MOST),
            audit["unsealed"] <= MOST,
            [Reindexing(*row) for row in await connection.fetch(WAITING)],
        )


async def _counts(connection: Connection) -> list[Count]:
    believed = await connection.fetch(BELIEVED, await used_types(connection))
    counts = []
    for type, rows in sorted((row["relname"], row["rows"]) for row in believed):
        exact = rows < EXACTLY
        if exact:
            rows = await connection.fetchval(
                f'select count(*) from (select from record."{type}" limit $1) t', MOST * 10
            )
            exact = rows < MOST * 10
        counts.append(Count(type, rows, exact))
    return counts


def _reader(row: Any) -> Reader:
    behind = row["behind"]
    return Reader(row["name"], min(behind, MOST), behind <= MOST, row["oldest"], row["parked"])

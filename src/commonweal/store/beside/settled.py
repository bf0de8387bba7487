"""Waiting for what is still open: afterwards nothing can appear that was begun before."""

import asyncio
from typing import Any

import asyncpg

Connection = Any

# Every transaction holds a lock on its own virtual id for as long as it lasts, before it has any other.
OPEN = """
select array_agg(l.pid || ' ' || l.virtualtransaction) from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock' and a.datname = current_database()
  and a.application_name = 'commonweal' and l.pid <> pg_backend_pid()"""
NOW = "select (extract(epoch from clock_timestamp()) * 1000000)::int8"
GAP = 250_000
"""Microseconds in which a transaction that has read the clock is certain to be seen among those that are open."""


async def settled(pool: asyncpg.Pool, time: int, look: float = 0.05) -> None:
    """Returns once every transaction of ours that began at or before `time` (microseconds) has ended.

    A record is stamped with the time at which its transaction began, so whatever is stamped with `time` or
    earlier can be seen afterwards. The next look is `look` seconds later.
    """
    async with pool.acquire() as connection:
        while await connection.fetchval(NOW) < time + GAP:
            await asyncio.sleep(look)
        waiting = await _open(connection)
        while waiting:
            await asyncio.sleep(look)
            waiting &= await _open(connection)


async def _open(connection: Connection) -> set[str]:
    return set(await connection.fetchval(OPEN) or ())

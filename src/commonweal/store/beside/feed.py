"""The feed on PostgreSQL: notices to readers in order and at least once, live news, timers, leases, seals."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import asyncpg

from commonweal.platform.ports import Lease, Timer
from commonweal.platform.topic import Notice, Position
from commonweal.store.audit import seal
from commonweal.store.beside import leases, timers

CHANNEL = "commonweal"
DELAYS = (1.0, 5.0, 30.0, 120.0)
"""Seconds to wait after each failure; a notice that fails once more is parked."""
NOW = timers.NOW

# Only what lies below every open transaction is ever handed out: nothing can still appear before it.
SAFE = "o.xid < pg_snapshot_xmin(pg_current_snapshot())"
COLUMNS = "o.xid, o.seq, o.topic, o.type, o.id, o.version, o.subject, o.cause"

NOTICES = f"""
with held as materialized (
    select distinct subject from beside.waiting where reader = $1 and (parked or not_before > {NOW})
), ahead as (
    select {COLUMNS}, 0 as attempts from beside.outbox o
    where {SAFE}
      and (o.xid, o.seq) > (coalesce((select xid from beside.reader where name = $1), '0'),
                            coalesce((select seq from beside.reader where name = $1), 0))
      and ($3::text[] is null or o.topic = any($3))
      and o.subject not in (select subject from held)
      and not exists (select from beside.waiting w where w.reader = $1 and w.xid = o.xid and w.seq = o.seq)
    order by o.xid, o.seq limit $2
), owed as (
    select {COLUMNS}, w.attempts from beside.waiting w join beside.outbox o on o.xid = w.xid and o.seq = w.seq
    where w.reader = $1 and w.subject not in (select subject from held)
    order by o.xid, o.seq limit $2
)
select * from (select * from ahead union all select * from owed) n order by xid, seq limit $2"""
NEW_READER = "insert into beside.reader (name) values ($1) on conflict do nothing"
PLACE = "select xid, seq from beside.reader where name = $1 for update"
CLEARED = """
delete from beside.waiting w using unnest($2::xid8[], $3::int8[]) as d (xid, seq)
where w.reader = $1 and w.xid = d.xid and w.seq = d.seq"""
PASSED = """
insert into beside.waiting (reader, xid, seq, subject)
select $1, o.xid, o.seq, o.subject from beside.outbox o
where (o.xid, o.seq) > ($4::xid8, $5::int8) and (o.xid, o.seq) <= ($6::xid8, $7::int8)
  and ($8::text[] is null or o.topic = any($8))
  and not exists (select from unnest($2::xid8[], $3::int8[]) as d (xid, seq)
                  where d.xid = o.xid and d.seq = o.seq)
on conflict do nothing"""
GO_ON = "update beside.reader set xid = $2, seq = $3 where name = $1"
SKIP = """
update beside.reader r set xid = safe.xmin, seq = -1
from (select pg_snapshot_xmin(pg_current_snapshot()) as xmin) safe
where r.name = $1 and (r.xid, r.seq) < (safe.xmin, -1::int8) and not exists (
    select from beside.outbox o
    where (o.xid, o.seq) > (r.xid, r.seq) and o.xid < safe.xmin and o.topic = any($2::text[]))"""
FAILED = f"""
insert into beside.waiting as w (reader, xid, seq, subject, attempts, error, not_before, parked)
values ($1, $2, $3, $4, 1, $5, {NOW} + coalesce(($6::int8[])[1], 0), cardinality($6::int8[]) = 0)
on conflict (reader, xid, seq) do update set
    attempts = w.attempts + 1,
    error = excluded.error,
    not_before = {NOW} + coalesce(($6::int8[])[w.attempts + 1], 0),
    parked = w.attempts >= cardinality($6::int8[])
returning parked"""
RELEASE = """
update beside.waiting set parked = false, attempts = 0, not_before = 0
where reader = $1 and subject = $2 and parked"""
PARKED = f"""
select {COLUMNS}, w.attempts, w.error from beside.waiting w join beside.outbox o using (xid, seq)
where w.reader = $1 and w.parked order by o.xid, o.seq limit $2"""
AFTER = f"""
select {COLUMNS}, 0 as attempts from beside.outbox o
where {SAFE} and (o.xid, o.seq) > ($1::xid8, $2::int8) order by o.xid, o.seq limit $3"""
TELL = f"""
select pg_notify('{CHANNEL}', o.xid || '-' || o.seq), o.xid, o.seq from (
    select o.xid, o.seq from beside.outbox o where {SAFE} order by o.xid desc, o.seq desc limit 1) o
where (o.xid, o.seq) > ($1::xid8, $2::int8)"""
PRUNE = f"""
with slowest as (select xid, seq from beside.reader order by xid, seq limit 1), pruned as (
    delete from beside.outbox o
    where o.at < {NOW} - $1::int8 and {SAFE}
      and not exists (select from slowest s where (o.xid, o.seq) > (s.xid, s.seq))
      and not exists (select from beside.waiting w where w.xid = o.xid and w.seq = o.seq)
    returning 1)
select count(*) from pruned"""


class PostgresFeed:
    """The `Feed` of the record in PostgreSQL; any number of processes may use it at once.

    `clock` gives the microseconds by which timers fall due (None: the database's clock); `delays` are the
    seconds between tries; `seal_key` keys the hash chain; with `fence` a lease that was lost in the meantime
    can no longer move a reader.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Callable[[], int] | None = None,
        delays: Sequence[float] = DELAYS,
        seal_key: bytes = b"",
        fence: Lease | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._delays = [int(each * 1_000_000) for each in delays]
        self._seal_key = seal_key
        self._fence = fence

    def under(self, lease: Lease) -> "PostgresFeed":
        """The same feed, but `done` and `failed` raise Problem 409 once the lease has a new holder."""
        delays = [each / 1_000_000 for each in self._delays]
        return PostgresFeed(self._pool, self._clock, delays, self._seal_key, lease)

    async def notices(self, reader: str, limit: int, topics: Sequence[str] | None = None) -> Sequence[Notice]:
        """A reader never seen before begins with the oldest notice kept.

        The order is that in which the transactions began to write. Two that write several of the same
        resources at once may so be told in another order than they committed; the version says which is newer.
        """
        return [_notice(row) for row in await self._pool.fetch(NOTICES, reader, limit, topics)]

    async def done(self, reader: str, notices: Sequence[Notice], topics: Sequence[str] | None = None) -> None:
        """Whatever lies before the last of these and is not among them waits for this reader."""
        if not notices:
            return
        last = max(each.position for each in notices)
        given = [each.position.transaction for each in notices], [each.position.sequence for each in notices]
        async with self._pool.acquire() as connection, connection.transaction():
            await self._keep_fence(connection)
            await connection.execute(NEW_READER, reader)
            place = Position(*await connection.fetchrow(PLACE, reader))
            await connection.execute(CLEARED, reader, *given)
            if last > place:
                ends = place.transaction, place.sequence, last.transaction, last.sequence
                await connection.execute(PASSED, reader, *given, *ends, topics)
                await connection.execute(GO_ON, reader, last.transaction, last.sequence)

    async def skip(self, reader: str, topics: Sequence[str]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await self._keep_fence(connection)
            await connection.execute(NEW_READER, reader)
            await connection.execute(SKIP, reader, topics)

    async def failed(self, reader: str, notice: Notice, error: str) -> bool:
        """True once the tries are used up: the subject is held until `release`."""
        at = notice.position
        async with self._pool.acquire() as connection, connection.transaction():
            await self._keep_fence(connection)
            arguments = reader, at.transaction, at.sequence, notice.subject, error[:2000], self._delays
            return bool(await connection.fetchval(FAILED, *arguments))

    async def parked(self, reader: str, limit: int = 100) -> Sequence[tuple[Notice, str]]:
        """What is parked for a reader and the last error of each."""
        rows = await self._pool.fetch(PARKED, reader, limit)
        return [(_notice(row), row["error"]) for row in rows]

    async def release(self, reader: str, subject: str) -> None:
        """Try again what was parked of this subject, then what was held behind it."""
        await self._pool.execute(RELEASE, reader, subject)

    async def position(self) -> Position:
        """Everything below it has been committed; everything later lies behind it."""
        return Position(await self._pool.fetchval("select pg_snapshot_xmin(pg_current_snapshot())"), 0)

    async def after(self, position: Position, limit: int) -> Sequence[Notice]:
        rows = await self._pool.fetch(AFTER, position.transaction, position.sequence, limit)
        return [_notice(row) for row in rows]

    async def tell(self, told: Position) -> Position:
        """Notify listeners once if there is anything behind `told`; the newest position that was told.

        One process does this again and again (under a lease): a writer never notifies, because NOTIFY inside
        a transaction makes all commits queue.
        """
        row = await self._pool.fetchrow(TELL, told.transaction, told.sequence)
        return Position(row["xid"], row["seq"]) if row else told

    async def listen(self, patience: float = 10.0) -> AsyncIterator[Position]:
        """A position each time there may be something new up to it: at once, then as told, and again after
        a lost connection or `patience` seconds of silence, so that whoever asks `after` misses nothing."""
        while True:
            connection = None
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await self._pool.acquire()
            if connection is not None:
                async with aclosing(self._heard(connection, patience)) as heard:
                    async for position in heard:
                        yield position
            await asyncio.sleep(min(patience, 0.5))

    async def _heard(self, connection: Any, patience: float) -> AsyncGenerator[Position, None]:
        """What one connection hears until it is lost; then it goes back to the pool."""
        news: asyncio.Queue[Position | None] = asyncio.Queue()

        def hear(_: Any, __: int, ___: str, text: str) -> None:
            news.put_nowait(Position.parse(text))

        def lost(_: Any) -> None:
            news.put_nowait(None)

        connection.add_termination_listener(lost)
        try:
            await connection.add_listener(CHANNEL, hear)
            latest: Position | None = await self.position()
            while latest is not None:
                yield latest
                try:
                    latest = await asyncio.wait_for(news.get(), patience)
                except TimeoutError:
                    latest = await self.position()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
        finally:
            with suppress(asyncpg.InterfaceError):
                connection.remove_termination_listener(lost)
                await connection.remove_listener(CHANNEL, hear)
            with suppress(asyncpg.InterfaceError):
                await self._pool.release(connection)

    async def due(self, limit: int) -> Sequence[Timer]:
        async with self._pool.acquire() as connection:
            return await timers.due(connection, self._clock() if self._clock else None, limit)

    async def lease(self, name: str, holder: str, seconds: int) -> Lease | None:
        async with self._pool.acquire() as connection:
            return await leases.take(connection, name, holder, seconds)

    async def seal(self) -> int:
        async with self._pool.acquire() as connection:
            return await seal.seal(connection, self._seal_key)

    async def head(self) -> str:
        async with self._pool.acquire() as connection:
            newest = await seal.head(connection)
        return newest[2].hex() if newest else ""

    async def prune(self, keep_seconds: float) -> int:
        """Forget notices older than this that every reader has handled; how many there were."""
        return int(await self._pool.fetchval(PRUNE, int(keep_seconds * 1_000_000)))

    async def forget(self, reader: str) -> None:
        """A reader that will not come back no longer keeps notices from being pruned."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("delete from beside.waiting where reader = $1", reader)
            await connection.execute("delete from beside.reader where name = $1", reader)

    async def _keep_fence(self, connection: Any) -> None:
        if self._fence is not None:
            await leases.hold(connection, self._fence)


def _notice(row: Mapping[str, Any]) -> Notice:
    return Notice(
        Position(row["xid"], row["seq"]),
        row["topic"],
        row["type"],
        row["id"],
        row["version"],
        row["subject"],
        row["cause"],
        row["attempts"],
    )

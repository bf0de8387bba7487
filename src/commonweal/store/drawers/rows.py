"""Drawers on PostgreSQL: one row each, every call one statement."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import asyncpg

from commonweal.identity.drawers import FOREVER, Entry, Taken
from commonweal.store.connection import Pools, borrowed, insisting
from commonweal.store.drawers.sealing import Sealer

GET = """
select id, owner, until, version, key, data from identity.drawer where kind = $1 and id = $2 and until > $3"""
PUT = """
insert into identity.drawer as d (kind, id, owner, until, version, key, data) values ($1, $2, $3, $4, 1, $5, $6)
on conflict (kind, id) do update set owner = excluded.owner, until = excluded.until, version = d.version + 1,
    key = excluded.key, data = excluded.data
returning version"""
NEW = PUT.replace("returning", "where d.until <= $7 returning")
CHANGE = """
update identity.drawer set owner = $3, until = $4, version = version + 1, key = $5, data = $6
where kind = $1 and id = $2 and until > $7 and version = $8
returning version"""
TAKE = """
delete from identity.drawer where kind = $1 and id = $2 returning id, owner, until, version, key, data"""
OF = """
select id, owner, until, version, key, data from identity.drawer
where kind = $1 and owner = $2 and owner <> '' and until > $3 order by id"""
PAGE = """
select id, owner, until, version, key, data from identity.drawer
where kind = $1 and id > $2 and until > $3 order by id limit $4"""
REMOVE_OF = "delete from identity.drawer where kind = $1 and owner = $2 and owner <> '' returning until"
# The first of a row decides when its count ends; a row whose end is past begins again.
COUNT = """
insert into identity.drawer as d (kind, id, until, version) values ($1, $2, $3, 1)
on conflict (kind, id) do update set
    version = case when d.until <= $4 then 1 else d.version + 1 end,
    until = case when d.until <= $4 then excluded.until else d.until end
returning version"""
EXPIRE = "delete from identity.drawer where until <= $1"
OLD = """
select kind, id, owner, until, version, key, data from identity.drawer where key not in ('', $1) limit $2"""
RESEAL = """
update identity.drawer set key = $4, data = $5 where kind = $1 and id = $2 and version = $3 and key <> $4"""


class PostgresDrawers:
    """The rows of `identity.drawer`. `now` gives microseconds, real time."""

    def __init__(self, pools: Pools, sealer: Sealer, now: Callable[[], int]) -> None:
        self._pools = pools
        self._sealer = sealer
        self._now = now

    async def get(self, kind: str, id: str) -> Entry | None:
        rows = await self._ask(GET, kind, id, self._now())
        return self._entry(kind, rows[0]) if rows else None

    async def put(
        self,
        kind: str,
        id: str,
        data: bytes,
        *,
        owner: str = "",
        until: int = FOREVER,
        version: int | None = None,
    ) -> int:
        values = (kind, id, owner, until, *self._sealer.seal(kind, id, data))
        if version is None:
            rows = await self._ask(PUT, *values)
        elif version == 0:
            rows = await self._ask(NEW, *values, self._now())
        else:
            rows = await self._ask(CHANGE, *values, self._now(), version)
        if not rows:
            raise Taken
        return int(rows[0]["version"])

    async def take(self, kind: str, id: str) -> Entry | None:
        rows = await self._ask(TAKE, kind, id)
        return self._entry(kind, rows[0]) if rows and rows[0]["until"] > self._now() else None

    async def of(self, kind: str, owner: str) -> Sequence[Entry]:
        return [self._entry(kind, row) for row in await self._ask(OF, kind, owner, self._now())]

    async def page(self, kind: str, after: str = "", limit: int = 100) -> Sequence[Entry]:
        return [self._entry(kind, row) for row in await self._ask(PAGE, kind, after, self._now(), limit)]

    async def remove(self, kind: str, id: str) -> bool:
        rows = await self._ask(TAKE, kind, id)
        return bool(rows) and rows[0]["until"] > self._now()

    async def remove_of(self, kind: str, owner: str) -> int:
        now = self._now()
        rows = await insisting(partial(self._ask, REMOVE_OF, kind, owner))
        return sum(row["until"] > now for row in rows)

    async def count(self, kind: str, id: str, until: int) -> int:
        rows = await self._ask(COUNT, kind, id, until, self._now())
        return int(rows[0]["version"])

    async def expire(self) -> int:
        return _number(await insisting(self._expired))

    async def reseal(self, limit: int = 500) -> int:
        """Encrypt with the current key what an older one encrypted; how many were looked at, at most `limit`: call
        again until there are none. What somebody changes meanwhile is encrypted with the current key by that."""
        rows = await self._ask(OLD, self._sealer.current, limit)
        again = [
            (
                row["kind"],
                row["id"],
                row["version"],
                *self._sealer.seal(row["kind"], row["id"], self._opened(row)),
            )
            for row in rows
        ]
        async with borrowed(self._pools.work, self._pools.limits) as connection:
            await connection.executemany(RESEAL, again)
        return len(again)

    async def _expired(self) -> str:
        async with borrowed(self._pools.work, self._pools.limits) as connection:
            status: str = await connection.execute(EXPIRE, self._now())
            return status

    async def _ask(self, text: str, *values: Any) -> list[asyncpg.Record]:
        async with borrowed(self._pools.work, self._pools.limits) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(text, *values)
            return rows

    def _entry(self, kind: str, row: Any) -> Entry:
        data = self._sealer.open(kind, row["id"], row["key"], row["data"]) if row["key"] else b""
        return Entry(row["id"], data, row["version"], row["owner"], row["until"])

    def _opened(self, row: Any) -> bytes:
        return self._sealer.open(row["kind"], row["id"], row["key"], row["data"])


def _number(status: str) -> int:
    """How many, of an answer such as "DELETE 5"."""
    return int(status.rsplit(" ", 1)[-1])

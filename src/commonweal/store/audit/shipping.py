"""Sealed rows on their way to a collector, and how far each collector has them."""

from typing import Any

import asyncpg

from commonweal.platform.journal import Batch
from commonweal.store.audit.seal import COLUMNS

PLACE = "select xid, seq from beside.shipping where collector = $1"
# The seal that ends first behind a position: rows up to it are final.
NEXT = "select xid, seq, rows, head from beside.seal where (xid, seq) > ($1, $2) order by xid, seq limit 1"
ROWS = f"""
select {", ".join(COLUMNS)} from beside.audit
where (xid, seq) > ($1, $2) and (xid, seq) <= ($3, $4) order by xid, seq limit $5"""
# Only whoever saw the position as it is moves it.
MOVED = """
insert into beside.shipping (collector, xid, seq) values ($1, $4, $5)
on conflict (collector) do update set xid = excluded.xid, seq = excluded.seq, at = excluded.at
where (shipping.xid, shipping.seq) = ($2, $3) returning true"""


class PostgresShipping:
    """`Shipping` over a database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def batch(self, collector: str, limit: int) -> Batch | None:
        async with self._pool.acquire() as connection:
            place = await connection.fetchrow(PLACE, collector)
            begins = (place["xid"], place["seq"]) if place else (0, 0)
            seal = await connection.fetchrow(NEXT, *begins)
            if seal is None:
                return None
            upto = (seal["xid"], seal["seq"])
            rows = await connection.fetch(ROWS, *begins, *upto, limit)
        ends = (rows[-1]["xid"], rows[-1]["seq"]) if len(rows) == limit else upto
        told = {"xid": upto[0], "seq": upto[1], "rows": seal["rows"], "head": seal["head"].hex()}
        return Batch(begins, ends, [_told(row) for row in rows], told if ends == upto else None)

    async def shipped(self, collector: str, batch: Batch) -> bool:
        return bool(await self._pool.fetchval(MOVED, collector, *batch.begins, *batch.ends))


def _told(row: Any) -> dict[str, Any]:
    """As JSON: hashes as text, since most readers of JSON round large numbers."""
    return {**row, "patients": [str(each) for each in row["patients"]]}

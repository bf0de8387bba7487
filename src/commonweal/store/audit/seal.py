"""The seal of the audit: committed rows chained by hash, so that a changed, removed or inserted one shows."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

Connection = Any
COLUMNS = (
    "xid", "seq", "at", "outcome", "work", "agent", "purpose",
    "interaction", "type", "query", "because", "entities", "patients",
    "role", "organization", "client", "session", "address",
)  # fmt: skip
"""In the order in which they came; a further one goes to the end."""
FIRST = 13
"""So many columns every row has had; of those behind, the empty ones at a row's end are not hashed. So rows from
before a column came keep their hash, and nothing can be put into them unnoticed."""
START = bytes(32)
BATCH = 5000

ALONE = "select pg_advisory_xact_lock(hashtextextended('beside.seal', 0))"
LAST = "select xid, seq, head from beside.seal order by xid desc, seq desc limit 1"
# Below the snapshot's xmin no row can still appear, so the chain never has to be opened again.
UNSEALED = f"""
select {", ".join(COLUMNS)} from beside.audit
where (xid, seq) > ($1, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid, seq limit {BATCH}"""
ADD = "insert into beside.seal (xid, seq, rows, head) values ($1, $2, $3, $4)"
SEALS = "select xid, seq, rows, head from beside.seal order by xid, seq"
UPTO = """
select a.at from beside.audit a
join (select xid, seq from beside.seal order by xid desc, seq desc limit 1) s using (xid, seq)"""
PROVEN = "insert into beside.proof (upto, damages) values ($1, $2)"
ROWS = f"select {', '.join(COLUMNS)} from beside.audit order by xid, seq"


def link(head: bytes, row: Mapping[str, Any], key: bytes = b"") -> bytes:
    """The head after one more row: a keyed BLAKE2b of the head before and the row as a JSON list."""
    values = [row[name] for name in COLUMNS]
    while len(values) > FIRST and not values[-1]:
        values.pop()
    text = msgspec.json.encode(values)
    return blake2b(head + text, digest_size=32, key=key[:64]).digest()


async def seal(connection: Connection, key: bytes = b"") -> int:
    """Chain the rows committed since the last seal, at most BATCH; how many there were."""
    async with connection.transaction():
        await connection.execute(ALONE)
        last = await connection.fetchrow(LAST)
        xid, seq, head = tuple(last) if last else (0, 0, START)
        rows = await connection.fetch(UNSEALED, xid, seq)
        for row in rows:
            head = link(head, row, key)
        if rows:
            await connection.execute(ADD, rows[-1]["xid"], rows[-1]["seq"], len(rows), head)
        return len(rows)


async def head(connection: Connection) -> tuple[int, int, bytes] | None:
    """The newest seal (transaction, sequence, head), for the collector that keeps it elsewhere."""
    row = await connection.fetchrow(LAST)
    return tuple(row) if row else None


async def sealed_upto(connection: Connection) -> int:
    """The time of the newest row under a seal; 0 before the first."""
    return int(await connection.fetchval(UPTO) or 0)


async def proven(connection: Connection, upto: int, damages: int) -> None:
    """Keep that the chain was computed again, at least up to there, and how many links did not hold."""
    await connection.execute(PROVEN, upto, damages)


@dataclass(frozen=True, slots=True)
class Broken:
    """A seal that does not hold: rows in (after, upto] are not those that were sealed."""

    after: tuple[int, int]
    upto: tuple[int, int]
    why: str


async def broken(connection: Connection, key: bytes = b"") -> AsyncIterator[Broken]:
    """Compute the whole chain again, streamed, and say which links do not hold; runs in a transaction.

    After a broken link the chain is taken up again at the head written there, so that one damage is one line.
    """
    rows = aiter(connection.cursor(ROWS, prefetch=1000))
    row = await anext(rows, None)
    after, before = (0, 0), START
    for each in await connection.fetch(SEALS):
        upto, running, count = (each["xid"], each["seq"]), before, 0
        while row is not None and (row["xid"], row["seq"]) <= upto:
            running, count = link(running, row, key), count + 1
            row = await anext(rows, None)
        if count != each["rows"]:
            yield Broken(after, upto, f"{each['rows']} rows were sealed, {count} are there")
        elif running != each["head"]:
            yield Broken(after, upto, "the rows are not those that were sealed")
        after, before = upto, each["head"]

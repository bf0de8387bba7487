"""Timers as rows: set, replaced and cancelled by key; due ones are told once, as notices."""

from collections.abc import Sequence
from typing import Any

from commonweal.platform.ports import Timer

Connection = Any
NOW = "(extract(epoch from clock_timestamp()) * 1000000)::int8"

CANCEL = "delete from beside.timer where key = any($1::text[])"
SET = """
insert into beside.timer (key, due, topic, reference, sequence)
select * from unnest($1::text[], $2::int8[], $3::text[], $4::text[], $5::int4[]) order by 1
on conflict (key) do update set
    due = excluded.due, topic = excluded.topic, reference = excluded.reference,
    sequence = excluded.sequence"""
DUE = f"""
with taken as (
    delete from beside.timer where key in (
        select key from beside.timer where due <= coalesce($1::int8, {NOW})
        order by due, key limit $2 for update skip locked)
    returning key, due, topic, reference, sequence
), told as (
    insert into beside.outbox (topic, type, id, version, subject, cause)
    select topic, split_part(reference, '/', 1), split_part(reference, '/', 2), sequence, reference, key
    from taken order by due, key
)
select * from taken order by due, key"""


async def schedule(connection: Connection, timers: Sequence[Timer], cancel: Sequence[str] = ()) -> None:
    """Cancel, then set; of several timers with one key the last stands."""
    last = {timer.key: timer for timer in timers}
    async with connection.transaction():
        if cancel:
            await connection.execute(CANCEL, list(cancel))
        if last:
            rows = [(each.key, each.due, each.topic, each.reference, each.sequence) for each in last.values()]
            await connection.execute(SET, *(list(column) for column in zip(*rows, strict=True)))


async def due(connection: Connection, now: int | None, limit: int) -> list[Timer]:
    """Take what is due by `now` (None: the database's clock) and tell it in the same statement.

    The notice's version is the timer's sequence, its cause the timer's key. Another process that asks at
    the same time gets others, never the same.
    """
    rows = await connection.fetch(DUE, now, limit)
    return [Timer(r["key"], r["due"], r["topic"], r["reference"], r["sequence"]) for r in rows]

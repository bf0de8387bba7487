"""Do ties, rules and places agree with the resources that they were read off?"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from commonweal.access.places import part_of
from commonweal.access.relationship import GRANTING
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.store.access.granted import Granted, array, granted
from commonweal.store.tokens import Tokens

Connection = Any
BATCH = 1000
BODIES = 'select id, self, body from record."{type}" where not deleted order by key'
KEPT = """
select source, kind, party, patient, since, until, null::bool as deny, null::int8[] as parties, null::int8[] as but,
    null::text[] as purposes, null::text[] as types, null::int8[] as labels
from access.tie where source = any($1::int8[])
union all
select source, null, null, patient, since, until, deny, parties, but, purposes, types, labels
from access.rule where source = any($1)"""
ORPHANS = """
select count(*) from (select source from access.tie union all select source from access.rule) k
where not exists (select from ({sources}) s where s.self = k.source)"""
# What the single steps lead to, against what is kept.
PLACES = """
with recursive up (area, within, steps) as (
    select area, within, 1 from access.place where steps = 1
    union all
    select u.area, p.within, u.steps + 1 from up u join access.place p on p.area = u.within and p.steps = 1
    where u.steps < 64
), wanted as (
    select area, within, min(steps) as steps from (
        select area, area, 0 from access.place union all select * from up) w (area, within, steps)
    group by area, within
)
select count(*) from wanted w full join access.place p using (area, within) where w.steps is distinct from p.steps"""

Found = AsyncIterator[tuple[int, str]]
"""For each batch (how many were examined, ""), and for each difference (0, what differs where)."""


async def faults(connection: Connection, tokens: Tokens, bases: tuple[str, ...]) -> Found:
    """Everything that grants and every place, compared with what is kept of it."""
    for type in sorted(GRANTING):
        async for found in _grants(connection, tokens, bases, type):
            yield found
    sources = " union all ".join(f'select self from record."{type}" where not deleted' for type in GRANTING)
    if orphans := await connection.fetchval(ORPHANS.format(sources=sources)):
        yield 0, f"{orphans} ties or rules are of resources that are not there"
    async for found in _places(connection, tokens, bases):
        yield found


async def _grants(connection: Connection, tokens: Tokens, bases: tuple[str, ...], type: str) -> Found:
    cursor = await connection.cursor(BODIES.format(type=type))
    while batch := await cursor.fetch(BATCH):
        kept = await _kept(connection, [row["self"] for row in batch])
        yield len(batch), ""
        for row in batch:
            try:
                wanted = granted(tokens, type, row["id"], codec.parse(row["body"]), bases)
            except (Problem, ValueError, KeyError, TypeError, AttributeError) as error:
                yield 0, f"{type}/{row['id']}: its body cannot be read: {error!r}"
                continue
            if wanted != kept.get(row["self"], Granted()):
                yield 0, f"{type}/{row['id']}: who has to do with whom is not what the body says"


async def _kept(connection: Connection, sources: list[int]) -> dict[int, Granted]:
    ties: dict[int, set[Any]] = {}
    rules: dict[int, set[Any]] = {}
    for row in await connection.fetch(KEPT, sources):
        if row["kind"] is not None:
            tie = tuple(row[name] for name in ("kind", "party", "patient", "since", "until"))
            ties.setdefault(row["source"], set()).add(tie)
        else:
            rules.setdefault(row["source"], set()).add(_rule(row))
    found = ties.keys() | rules.keys()
    return {each: Granted(frozenset(ties.get(each, ())), frozenset(rules.get(each, ()))) for each in found}


def _rule(row: Mapping[str, Any]) -> tuple[Any, ...]:
    lists = (
        None if row[name] is None else array(row[name])
        for name in ("parties", "but", "purposes", "types", "labels")
    )
    return (row["patient"], row["deny"], *lists, row["since"], row["until"])


async def _places(connection: Connection, tokens: Tokens, bases: tuple[str, ...]) -> Found:
    cursor = await connection.cursor(BODIES.format(type="Location"))
    while batch := await cursor.fetch(BATCH):
        parts = await connection.fetch(
            "select area, within from access.place where steps = 1 and area = any($1::int8[])",
            [row["self"] for row in batch],
        )
        kept = {row["area"]: row["within"] for row in parts}
        yield len(batch), ""
        for row in batch:
            parent = part_of(codec.parse(row["body"]), bases)
            if kept.get(row["self"]) != (tokens.self(parent) if parent else None):
                yield 0, f"Location/{row['id']}: where it lies is not what the body says"
    if wrong := await connection.fetchval(PLACES):
        yield 0, f"{wrong} places do not lie where the places above them lie"

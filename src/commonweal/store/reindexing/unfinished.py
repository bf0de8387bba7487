"""Which types are being indexed anew, noticed at start, and which searches may miss something until it is done."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from commonweal.fhir import compartment
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Query
from commonweal.fhir.search.parameters import Parameter
from commonweal.store.facts import LOCK, Facts
from commonweal.store.reads.reading import used_types
from commonweal.store.reindexing.marks import fingerprint, marks

Connection = Any
PATIENCE = 1.0
"""Seconds after which it is looked whether more has been done."""

WAITING = "select type, names, seen, changed from record.reindex order by since, type"
"""What is still to be done, in order; the columns of `Reindexing`."""
KNOWN = "select type, name, mark from record.parameter"
MARK = """
update record.parameter p set mark = m.mark from unnest($1::text[], $2::text[], $3::int8[]) as m (type, name, mark)
where p.type = m.type and p.name = m.name"""
BEGIN = """
insert into record.reindex as r (type, fingerprint, names) values ($1, $2, $3)
on conflict (type) do update set fingerprint = excluded.fingerprint, at = 0, seen = 0, changed = 0, since = default,
    names = array(select distinct n from unnest(r.names || excluded.names) n order by n)"""


async def notice(connection: Connection, facts: Facts) -> None:
    """Mark the parameters as they are now; types whose rows were made by others begin to be indexed anew."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        now = {
            (type, name): mark
            for type in sorted(RESOURCE_TYPES)
            for name, mark in marks(facts.of(type), facts.registry.bases).items()
        }
        known = {(row["type"], row["name"]): row["mark"] for row in await connection.fetch(KNOWN)}
        new = [(*key, now.get(key, 0)) for key, mark in known.items() if mark != now.get(key, 0)]
        if new:
            await connection.execute(MARK, *(list(column) for column in zip(*new, strict=True)))
        changed: dict[str, list[str]] = {}
        for type, name, _ in new:
            if known[type, name] is not None or (type, name) not in now:
                changed.setdefault(type, []).append(name)
        for type in await used_types(connection, list(changed)) if changed else ():
            await begin(connection, facts, type, changed[type])


async def begin(connection: Connection, facts: Facts, type: str, names: Sequence[str] = ()) -> None:
    """Index a type anew, from its first row on."""
    now = marks(facts.of(type), facts.registry.bases)
    await connection.execute(BEGIN, type, fingerprint(now), sorted(names))


class Unfinished:
    """By type: the parameters by which older rows may not be found yet. While it is empty it costs nothing."""

    def __init__(self) -> None:
        self._names: Mapping[str, frozenset[str]] = {}
        self._looked = -PATIENCE

    @property
    def is_due(self) -> bool:
        return bool(self._names) and time.monotonic() - self._looked >= PATIENCE

    async def refresh(self, connection: Connection) -> None:
        self._looked = time.monotonic()
        rows = await connection.fetch("select type, names from record.reindex where names <> '{}'")
        self._names = {row["type"]: frozenset(row["names"]) for row in rows}

    def of(self, query: Query) -> tuple[str, ...]:
        """Parameters of this search ("Patient.nickname") by which it may miss something."""
        if not self._names:
            return ()
        asked = set(_asked(query, tuple(self._names)))
        return tuple(sorted(f"{type}.{name}" for type, name in asked if name in self._names.get(type, ())))


Names = Iterator[tuple[str, str]]


def _asked(query: Query, all: Sequence[str]) -> Names:
    """(type, parameter) of everything that a search looks into the index for."""
    types = (query.type,) if query.type else query.types or all
    for type in types:
        for clause in query.where:
            yield from _names(clause, type)
        yield from ((type, name) for sort in query.sort for name in _kept(sort.parameter))
        if query.compartment is not None:
            yield from ((type, name) for name in compartment.parameters(query.compartment[0], type))
    for each in query.includes:
        if each.reverse and each.parameter is not None:
            yield from ((each.source, name) for name in each.parameter.names)


def _names(clause: Clause, type: str) -> Names:
    if isinstance(clause, Criterion):
        yield from ((type, name) for name in _kept(clause.parameter))
    elif isinstance(clause, Chain):
        yield from ((type, name) for name in clause.parameter.names)
        for target, where in clause.branches:
            yield from _names(where, target)
    elif isinstance(clause, Has):
        yield from ((clause.type, name) for name in clause.parameter.names)
        yield from _names(clause.where, clause.type)


def _kept(parameter: Parameter) -> Iterable[str]:
    """The names under which the index keeps what the parameter asks for."""
    if parameter.root:
        return [name for part in parameter.components for name in part.names]
    return parameter.names

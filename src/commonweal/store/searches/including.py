"""What a search includes beside its matches: https://hl7.org/fhir/R4/search.html#include."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from commonweal.fhir import codec
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID
from commonweal.fhir.search.clauses import Criterion, Include, Query
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.values import ReferenceValue
from commonweal.platform.ports import Stored

MOST = 5000
"""Resources that one page may include."""


class Finder(Protocol):
    """What includes ask of the search: rows by reference, and rows that refer to others."""

    async def by_reference(self, references: Sequence[tuple[str, str]]) -> Sequence[Stored]: ...
    async def by_query(self, query: Query, most: int) -> Sequence[Stored]: ...


async def included(
    query: Query, registry: Registry, finder: Finder, matches: Sequence[Stored]
) -> list[Stored]:
    """Each once, and never what is a match already."""
    known = {each.reference for each in matches}
    found: list[Stored] = []
    fresh, asked = list(matches), query.includes
    while fresh and asked:
        joined = await _joined(asked, registry, finder, fresh)
        fresh = [each for each in joined if each.reference not in known]
        known.update(each.reference for each in fresh)
        found += fresh
        if len(found) > MOST:
            raise Problem.too_costly(f"this page would include more than {MOST} resources")
        asked = tuple(include for include in query.includes if include.iterate)
    return found


async def _joined(
    includes: Iterable[Include], registry: Registry, finder: Finder, rows: Sequence[Stored]
) -> list[Stored]:
    found: dict[str, Stored] = {}
    wanted: dict[tuple[str, str], None] = {}
    for include in includes:
        if include.reverse:
            own = [each.reference for each in rows if include.target in (None, each.type)]
            for query in _referring(include, registry, own):
                found |= {each.reference: each for each in await finder.by_query(query, MOST + 1)}
        else:
            wanted |= dict.fromkeys(_targets(include, registry, rows))
    if wanted:
        found |= {each.reference: each for each in await finder.by_reference(list(wanted))}
    return list(found.values())


def _targets(include: Include, registry: Registry, rows: Sequence[Stored]) -> Iterator[tuple[str, str]]:
    """(type, id) of what these rows refer to by the include's parameter."""
    names = include.parameter.names if include.parameter else None
    indexes = (extract(codec.parse(row.body), registry) for row in rows if include.source in ("*", row.type))
    for name, target in (reference for indexed in indexes for reference in indexed.references):
        type, _, id = target.partition("/")
        asked = (names is None or name in names) and include.target in (None, type)
        if asked and type in RESOURCE_TYPES and ID.fullmatch(id):
            yield type, id


def _referring(include: Include, registry: Registry, targets: Sequence[str]) -> Iterator[Query]:
    """The searches for what refers to these by the include's parameter, or by any."""
    if not targets:
        return
    parameters = [include.parameter] if include.parameter else registry.of(include.source).values()
    for parameter in parameters:
        if parameter.type == "reference":
            value = ReferenceValue("", tuple(targets))
            yield Query(include.source, (Criterion(parameter, None, (value,)),))

"""Reading a search from its parameters and writing it back: https://hl7.org/fhir/R4/search.html."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.asking import BOUNDS, Asking
from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Include, Listed, Query, Sort
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.reading import Expand
from commonweal.fhir.search.results import RESULTS, Results
from commonweal.fhir.search.values import Value

__all__ = [
    "BOUNDS", "Chain", "Clause", "Criterion", "Expand", "Has", "Include", "Listed", "Query", "Sort", "Value",
    "parse", "to_pairs",
]  # fmt: skip

Pair = tuple[str, str]


def parse(
    resource_type: str | None,
    pairs: Sequence[Pair],
    registry: Registry,
    *,
    lenient: bool = True,
    compartment: tuple[str, str] | None = None,
    expand: Expand | None = None,
) -> Query:
    """The search that decoded (key, value) pairs ask for; Problem 400 where they cannot be understood.

    lenient (Prefer: handling): unknown and empty parameters are put into `ignored`; strict: they are an error.
    An unknown modifier or a bad value is always an error. Without `expand`, value set modifiers are refused.
    """
    _check_size(pairs)
    asking = Asking(registry, expand)
    results = Results(registry, resource_type)
    where: list[Clause] = []
    ignored: list[str] = []
    for key, value in pairs:
        name, _, modifier = key.partition(":")
        if name in RESULTS:
            RESULTS[name](results, name, modifier, value)
    types = (resource_type,) if resource_type else results.types
    for key, value in pairs:
        if key.partition(":")[0] in RESULTS:
            continue
        if value.strip(", ") and asking.knows(types, key):
            where.append(asking.clause(types, key, value))
        elif lenient:
            ignored.append(key)
        else:
            raise asking.unknown(types, key, value)
    return results.query(tuple(where), tuple(ignored), compartment)


def _check_size(pairs: Sequence[Pair]) -> None:
    if len(pairs) > BOUNDS.parameters:
        raise Problem.invalid(f"a search has at most {BOUNDS.parameters} parameters")
    if sum(len(key) + len(value) for key, value in pairs) > BOUNDS.characters:
        raise Problem.invalid(f"a search has at most {BOUNDS.characters} characters")


def to_pairs(query: Query) -> list[Pair]:
    """The parameters that were applied, in canonical form (the self link).

    parse(to_pairs(q)) == q, but for what was ignored and the compartment, which the address says.
    """
    return [*(_pair(clause) for clause in query.where), *_results(query)]


def _pair(clause: Clause) -> Pair:
    match clause:
        case Criterion(parameter, modifier, values):
            key = f"{parameter.name}:{modifier}" if modifier else parameter.name
            return key, ",".join(value.raw for value in values)
        case Chain(parameter, branches):
            inner, value = _pair(branches[0][1])
            only = f":{branches[0][0]}" if len(branches) == 1 else ""
            return f"{parameter.name}{only}.{inner}", value
        case Has(type, parameter, where):
            inner, value = _pair(where)
            return f"_has:{type}:{parameter.name}:{inner}", value
        case Listed(list_id):
            return "_list", list_id


def _results(query: Query) -> Iterator[Pair]:
    if query.types:
        yield "_type", ",".join(query.types)
    if query.sort:
        yield "_sort", ",".join("-" * each.descending + each.parameter.name for each in query.sort)
    for include in query.includes:
        yield _include(include)
    if query.elements:
        yield "_elements", ",".join(query.elements)
    single = {"_summary": query.summary, "_count": query.count, "_cursor": query.cursor}
    yield from ((name, str(value)) for name, value in single.items() if value is not None)
    if query.total != "none":
        yield "_total", query.total


def _include(include: Include) -> Pair:
    key = ("_revinclude" if include.reverse else "_include") + (":iterate" if include.iterate else "")
    if include.source == "*":
        return key, "*"
    name = include.parameter.name if include.parameter else "*"
    return key, ":".join(filter(None, (include.source, name, include.target)))

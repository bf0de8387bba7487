"""Which concepts of a code system a filter picks: https://hl7.org/fhir/R4/valueset-filter-operator.html."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from commonweal.fhir.terminology.codes import Codes

Json = dict[str, Any]
Picked = Iterable[str]
ITSELF = ("code", "concept")


def picked(codes: Codes, filters: Iterable[Json]) -> list[str]:
    """The codes that every filter picks, in the system's order. ValueError for a filter that is not known."""
    found = [set(_picked(codes, each)) for each in filters]
    return [code for code in codes.concepts if all(code in each for each in found)]


def _picked(codes: Codes, each: Json) -> Picked:
    op, name, value = each["op"], each["property"], each["value"]
    if op not in FILTERS:
        raise ValueError(f"the filter '{op}' is not supported")
    return FILTERS[op](codes, name, value)


def _equal(codes: Codes, name: str, value: str) -> Picked:
    if name in ITSELF:
        return [value]
    if name == "parent":
        return codes.children(value)
    if name == "child":
        return codes.concepts[value].parents if value in codes.concepts else ()
    if name == "display":
        return (each.code for each in codes.concepts.values() if each.display == value)
    return (each.code for each in codes.concepts.values() if (name, value) in each.properties)


def _any(codes: Codes, name: str, value: str) -> Picked:
    return (code for part in value.split(",") for code in _equal(codes, name, part.strip()))


def _exists(codes: Codes, name: str, value: str) -> Picked:
    there = {each.code for each in codes.concepts.values() if any(name == n for n, _ in each.properties)}
    return there if value == "true" else codes.concepts.keys() - there


FILTERS: dict[str, Callable[[Codes, str, str], Picked]] = {
    "=": _equal,
    "in": _any,
    "not-in": lambda codes, name, value: codes.concepts.keys() - set(_any(codes, name, value)),
    "is-a": lambda codes, _, value: codes.below(value),
    "descendent-of": lambda codes, _, value: codes.below(value).keys() - {value},
    "is-not-a": lambda codes, _, value: codes.concepts.keys() - codes.below(value).keys(),
    "generalizes": lambda codes, _, value: codes.above(value),
    "exists": _exists,
}
"""All of R4 but regex: a pattern from outside may take for ever."""

"""Reading the parameters that shape the answer: https://hl7.org/fhir/R4/search.html#sort."""

from __future__ import annotations

from collections.abc import Callable

from commonweal.fhir.elements import is_resource_type
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.clauses import Clause, Include, Query, Sort
from commonweal.fhir.search.parameters import Parameter, Registry

SUMMARIES = ("true", "text", "data", "count", "false")
TOTALS = ("none", "estimate", "accurate")
UNSORTED = ("composite", "special")


class Results:
    """Gathers them; a type of None is a search over all types or those of `_type`."""

    def __init__(self, registry: Registry, type: str | None) -> None:
        self.registry = registry
        self.type = type
        self.types: tuple[str, ...] = ()
        self.single: dict[str, str] = {}
        self.sorts: list[str] = []
        self.elements: list[str] = []
        self.includes: list[Include] = []

    def once(self, name: str, modifier: str, value: str) -> None:
        """A parameter that may be given once."""
        _unmodified(name, modifier)
        if self.single.setdefault(name, value) != value:
            raise _bad(name, "it is given twice")

    def count(self, name: str, modifier: str, value: str) -> None:
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise _bad(name, f"{value!r} is not a number of resources")
        self.once(name, modifier, value)

    def summary(self, name: str, modifier: str, value: str) -> None:
        self.once(name, modifier, _one_of(name, value, SUMMARIES))

    def total(self, name: str, modifier: str, value: str) -> None:
        self.once(name, modifier, _one_of(name, value, TOTALS))

    def contained(self, name: str, modifier: str, value: str) -> None:
        """What is contained is found with what contains it, and not by itself."""
        wanted = "false" if name == "_contained" else "container"
        if value != wanted:
            raise _bad(name, f"only {wanted} is supported: contained resources are not searched")

    def sort(self, name: str, modifier: str, value: str) -> None:
        _unmodified(name, modifier)
        self.sorts += _listed(value)

    def element(self, name: str, modifier: str, value: str) -> None:
        _unmodified(name, modifier)
        self.elements += [each for each in _listed(value) if each not in self.elements]

    def type_(self, name: str, modifier: str, value: str) -> None:
        _unmodified(name, modifier)
        for type in _listed(value):
            _check_type(name, type)
            self.types += () if type in self.types else (type,)

    def include(self, name: str, modifier: str, value: str) -> None:
        if modifier not in ("", "iterate", "recurse"):
            raise Problem.of("cw-bad-modifier", name=name, modifier=modifier)
        reverse, iterate = name == "_revinclude", bool(modifier)
        for each in _listed(value):
            include = Include(*self._include(name, each), iterate=iterate, reverse=reverse)
            if include not in self.includes:
                self.includes.append(include)
        if len(self.includes) > MOST:
            raise _bad(name, f"there are more than {MOST} of them")

    def _include(self, name: str, value: str) -> tuple[str, Parameter | None, str | None]:
        """(source, parameter, target) of source:parameter:target; `*` alone is every reference of every type."""
        if value == "*" and name == "_include":
            return "*", None, None
        source, _, rest = value.partition(":")
        code, _, target = rest.partition(":")
        _check_type(name, source)
        if target:
            _check_type(name, target)
        parameter = None if code == "*" else self.registry.of(source).get(code)
        if code != "*" and (parameter is None or parameter.type != "reference"):
            raise _bad(name, f"'{code}' is no reference of {source}")
        return source, parameter, target or None

    def transport(self, name: str, modifier: str, value: str) -> None:
        """What concerns the transport is read by whoever does the transport."""

    def query(
        self, where: tuple[Clause, ...], ignored: tuple[str, ...], compartment: tuple[str, str] | None
    ) -> Query:
        count = self.single.get("_count")
        return Query(
            type=self.type,
            where=where,
            types=self.types,
            compartment=compartment,
            sort=tuple(self._sorted(each) for each in self.sorts),
            count=None if count is None else int(count),
            cursor=self.single.get("_cursor"),
            includes=tuple(self.includes),
            summary=self.single.get("_summary"),
            elements=tuple(self.elements),
            total=self.single.get("_total", "none"),
            ignored=ignored,
        )

    def _sorted(self, text: str) -> Sort:
        name = text.removeprefix("-")
        only = self.types[0] if len(self.types) == 1 else None
        parameter = self.registry.of(self.type or only).get(name)
        if parameter is None or parameter.type in UNSORTED or parameter.has_words:
            raise _bad("_sort", f"one cannot sort by '{name}'")
        return Sort(parameter, text.startswith("-"))


MOST = 32
"""Includes of one search."""


def _bad(name: str, why: str) -> Problem:
    return Problem.of("cw-bad-parameter", name=name, why=why)


def _unmodified(name: str, modifier: str) -> None:
    if modifier:
        raise Problem.of("cw-bad-modifier", name=name, modifier=modifier)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise _bad(name, f"it must be one of {', '.join(allowed)}")
    return value


def _check_type(name: str, type: str) -> None:
    if not is_resource_type(type):
        raise _bad(name, f"'{type}' is not a FHIR R4 resource type")


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


RESULTS: dict[str, Callable[[Results, str, str, str], None]] = {
    "_sort": Results.sort,
    "_count": Results.count,
    "_cursor": Results.once,
    "_include": Results.include,
    "_revinclude": Results.include,
    "_summary": Results.summary,
    "_elements": Results.element,
    "_total": Results.total,
    "_type": Results.type_,
    "_contained": Results.contained,
    "_containedType": Results.contained,
    "_format": Results.transport,
    "_pretty": Results.transport,
}
"""The parameters that shape the answer, each with its reader."""

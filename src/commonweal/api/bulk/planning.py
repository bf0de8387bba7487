"""An export as a row of steps, each a search read page by page; every resource is the business of one step only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from commonweal.api.bulk.asking import query_of
from commonweal.api.bulk.shelf import Order
from commonweal.fhir import compartment
from commonweal.fhir.search.clauses import Query
from commonweal.fhir.search.parameters import Registry, official
from commonweal.fhir.search.plan import References, referring
from commonweal.fhir.search.query import parse

Json = dict[str, Any]

PAGE = 500
"""Resources read, checked and written at once."""
CHUNK = 50
"""Patients named by one search."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """The resources of one type that the last of `filters` finds and none before it; where patients are named,
    those that refer to one of them by `parameter`. `deleted`: what has been deleted instead."""

    type: str
    filters: tuple[str, ...] = ("",)
    parameter: str = ""
    chunk: int = 0
    deleted: bool = False


def steps(order: Order) -> Iterator[Step]:
    """All steps, always in the same order."""
    for type in order.types:
        filters = order.filters.get(type, ("",))
        for count in range(1, len(filters) + 1):
            yield from _of_members(Step(type, filters[:count]), order)
        if order.since is not None:
            yield Step(type, deleted=True)


def _of_members(step: Step, order: Order) -> Iterator[Step]:
    if order.members is None:
        yield step
        return
    for parameter in parameters(step.type):
        for chunk in range((len(order.members) + CHUNK - 1) // CHUNK):
            yield replace(step, parameter=parameter, chunk=chunk)


def parameters(type: str) -> tuple[str, ...]:
    """How resources of a type refer to the patients in whose compartment they are."""
    return ("_id",) if type == "Patient" else compartment.parameters("Patient", type)


def queries(step: Step, order: Order, registry: Registry) -> list[Query]:
    """The search of a step, last; before it those whose finds are the business of an earlier step."""
    pairs = []
    if order.since is not None:
        pairs.append(("_lastUpdated", f"ge{_instant(order.since + 1)}"))
    if step.parameter:
        prefix = "" if step.parameter == "_id" else "Patient/"
        named = (order.members or ())[step.chunk * CHUNK : (step.chunk + 1) * CHUNK]
        pairs.append((step.parameter, ",".join(f"{prefix}{id}" for id in named)))
    common = parse(step.type, pairs, registry, lenient=False).where
    wanted = [query_of(each, registry).where if each else () for each in step.filters]
    return [Query(step.type, (*common, *where), count=PAGE) for where in wanted]


def named(ids: Sequence[str], query: Query, registry: Registry) -> Query:
    """The same search among these resources only."""
    among = parse(query.type, [("_id", ",".join(ids))], registry, lenient=False).where
    return replace(query, where=(*among, *query.where), count=len(ids))


class Members:
    """The patients an export is about, asked which of its steps a resource belongs to."""

    def __init__(self, order: Order, bases: tuple[str, ...]) -> None:
        self._bases = bases
        self._place = {f"Patient/{id}": number for number, id in enumerate(order.members or ())}
        self._only = order.only

    def takes(self, step: Step, resource: Json) -> bool:
        """Is it this step that the resource belongs to? The first parameter that names a member decides, and of
        the members it names the first. What names none of them was found by an alias of a member."""
        for parameter in parameters(step.type):
            targets = _targets(step.type, parameter, resource, self._bases)
            found = [self._place[each] for each in targets if each in self._place]
            if found:
                return (parameter, min(found) // CHUNK) == (step.parameter, step.chunk) and self.allows(
                    resource
                )
        return True

    def knows(self, resource: Json) -> bool:
        """Is the resource in the compartment of a member?"""
        patients = compartment.patients_of(resource, self._bases)
        return not self._place.keys().isdisjoint(patients) and self.allows(resource)

    def allows(self, resource: Json) -> bool:
        """With the parameter `patient` nothing is given that is in the compartment of anybody else too."""
        return not self._only or compartment.patients_of(resource, self._bases) <= self._place.keys()


@lru_cache(maxsize=512)
def _reader(type: str, parameter: str, bases: tuple[str, ...]) -> References:
    return referring(official().of(type)[parameter], bases)


def _targets(type: str, parameter: str, resource: Json, bases: tuple[str, ...]) -> Sequence[str]:
    if parameter == "_id":
        return [f"Patient/{resource['id']}"]
    return _reader(type, parameter, bases)(resource)


def _instant(microseconds: int) -> str:
    return (
        (EPOCH + timedelta(microseconds=microseconds))
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )

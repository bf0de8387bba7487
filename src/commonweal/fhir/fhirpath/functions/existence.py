"""Existence, https://hl7.org/fhirpath/N1/#existence."""

from collections.abc import Mapping
from typing import Any

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.equality import Seen, distinct
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Evaluate, Function, each, eager, holds, lazy, truth
from commonweal.fhir.fhirpath.values import Collection, system


def exists(
    ctx: Context, this: Collection, items: Collection, criterion: Evaluate | None = None
) -> Collection:
    if criterion is None:
        return [bool(items)]
    return [any(holds(found) for found in each(ctx, items, criterion))]


def every(ctx: Context, this: Collection, items: Collection, criterion: Evaluate) -> Collection:
    return [all(holds(found) for found in each(ctx, items, criterion))]


def booleans(items: Collection, name: str) -> list[bool]:
    values = [system(item) for item in items]
    if any(value.__class__ is not bool for value in values):
        raise PathError(f"{name}() takes booleans only")
    return values


def negated(ctx: Context, items: Collection) -> Collection:
    value = truth(items, "not()")
    return [] if value is None else [not value]


def subset(ctx: Context, items: Collection, others: Collection) -> bool:
    seen = Seen(ctx, others)
    return all(item in seen for item in items)


def all_distinct(ctx: Context, items: Collection) -> Collection:
    return [len(distinct(ctx, items)) == len(items)]


def quantified(name: str, quantifier: Any, wanted: bool) -> Function:
    return eager(lambda ctx, items: [quantifier(value is wanted for value in booleans(items, name))])


TABLE: Mapping[str, Function] = {
    "empty": eager(lambda ctx, items: [not items]),
    "exists": lazy(exists, 0, 1),
    "all": lazy(every, 1),
    "allTrue": quantified("allTrue", all, True),
    "anyTrue": quantified("anyTrue", any, True),
    "allFalse": quantified("allFalse", all, False),
    "anyFalse": quantified("anyFalse", any, False),
    "not": eager(negated),
    "subsetOf": eager(lambda ctx, items, others: [subset(ctx, items, others)], 1),
    "supersetOf": eager(lambda ctx, items, others: [subset(ctx, others, items)], 1),
    "count": eager(lambda ctx, items: [len(items)]),
    "distinct": eager(distinct),
    "isDistinct": eager(all_distinct),
}

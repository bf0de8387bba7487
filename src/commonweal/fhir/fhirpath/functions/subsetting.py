"""Subsetting and combining, https://hl7.org/fhirpath/N1/#subsetting."""

from collections.abc import Mapping

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.equality import Seen, distinct
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Function, eager, single
from commonweal.fhir.fhirpath.values import Collection


def only(ctx: Context, items: Collection) -> Collection:
    if len(items) > 1:
        raise PathError(f"single() found {len(items)} items")
    return items


def number(items: Collection, name: str) -> int:
    value = single(items, "whole", name)
    return 0 if value is None else int(value)


def skip(ctx: Context, items: Collection, count: Collection) -> Collection:
    return items[max(0, number(count, "skip")) :]


def take(ctx: Context, items: Collection, count: Collection) -> Collection:
    return items[: max(0, number(count, "take"))]


def intersect(ctx: Context, items: Collection, others: Collection) -> Collection:
    seen = Seen(ctx, others)
    return [item for item in distinct(ctx, items) if item in seen]


def exclude(ctx: Context, items: Collection, others: Collection) -> Collection:
    seen = Seen(ctx, others)
    return [item for item in items if item not in seen]


def union(ctx: Context, items: Collection, others: Collection) -> Collection:
    return distinct(ctx, items + others)


def combine(ctx: Context, items: Collection, others: Collection) -> Collection:
    ctx.spend(len(items) + len(others))
    return items + others


TABLE: Mapping[str, Function] = {
    "single": eager(only),
    "first": eager(lambda ctx, items: items[:1]),
    "last": eager(lambda ctx, items: items[-1:]),
    "tail": eager(lambda ctx, items: items[1:]),
    "skip": eager(skip, 1),
    "take": eager(take, 1),
    "intersect": eager(intersect, 1),
    "exclude": eager(exclude, 1),
    "union": eager(union, 1),
    "combine": eager(combine, 1),
}

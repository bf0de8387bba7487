"""Aggregates, https://hl7.org/fhirpath/N1/#aggregates."""

from collections.abc import Callable, Mapping
from typing import Any

from commonweal.fhir.fhirpath.arithmetic import OPERATORS
from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.equality import QUANTITY_STEPS, compare
from commonweal.fhir.fhirpath.functions.kinds import Evaluate, Function, eager, lazy
from commonweal.fhir.fhirpath.values import Collection, system


def aggregate(
    ctx: Context, this: Collection, items: Collection, step: Evaluate, start: Evaluate | None = None
) -> Collection:
    index, total = ctx.index, ctx.total
    so_far = start(ctx, this) if start else []
    ctx.spend(len(items))
    for at, item in enumerate(items):
        ctx.index, ctx.total = at, so_far
        so_far = step(ctx, [item])
        ctx.spend(len(so_far))
    ctx.index, ctx.total = index, total
    return so_far


def folded(run: Callable[[Context, Any, Any], Any]) -> Callable[[Context, Collection], Collection]:
    """The items put together two at a time; empty when one has no value or two do not go together."""

    def fold(ctx: Context, items: Collection) -> Collection:
        ctx.spend(len(items) * QUANTITY_STEPS)
        total: Any = None
        for at, item in enumerate(items):
            value = system(item)
            total = value if at == 0 else run(ctx, total, value)
            if value is None or total is None:
                return []
        return [total] if items else []

    return fold


def lesser(ctx: Context, a: Any, b: Any) -> Any:
    order = None if b is None else compare(ctx, a, b)
    return None if order is None else a if order <= 0 else b


def greater(ctx: Context, a: Any, b: Any) -> Any:
    order = None if b is None else compare(ctx, a, b)
    return None if order is None else a if order >= 0 else b


sum_of = folded(lambda ctx, a, b: None if b is None else OPERATORS["+"](a, b))


def average(ctx: Context, items: Collection) -> Collection:
    total = sum_of(ctx, items)
    found = OPERATORS["/"](total[0], len(items)) if total else None
    return [] if found is None else [found]


TABLE: Mapping[str, Function] = {
    "aggregate": lazy(aggregate, 1, 2),
    "sum": eager(sum_of),
    "min": eager(folded(lesser)),
    "max": eager(folded(greater)),
    "avg": eager(average),
}

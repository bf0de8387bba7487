"""Filtering, projection, trees and utilities, https://hl7.org/fhirpath/N1/#filtering-and-projection."""

from collections.abc import Mapping

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.equality import Seen
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import (
    Evaluate,
    Function,
    each,
    eager,
    holds,
    lazy,
    single,
    truth,
)
from commonweal.fhir.fhirpath.navigate import children
from commonweal.fhir.fhirpath.types import type_name
from commonweal.fhir.fhirpath.values import Collection, Item, plain


def where(ctx: Context, this: Collection, items: Collection, criterion: Evaluate) -> Collection:
    found = each(ctx, items, criterion)
    return [item for item, one in zip(items, found, strict=True) if holds(one)]


def select(ctx: Context, this: Collection, items: Collection, projection: Evaluate) -> Collection:
    out: Collection = []
    for found in each(ctx, items, projection):
        out += found
    ctx.spend(len(out))
    return out


def repeat(ctx: Context, this: Collection, items: Collection, projection: Evaluate) -> Collection:
    out: Collection = []
    seen = Seen(ctx)
    while items:
        items = [item for found in each(ctx, items, projection) for item in found if seen.add(item)]
        out += items
    return out


def repeat_all(ctx: Context, this: Collection, items: Collection, projection: Evaluate) -> Collection:
    out: Collection = []
    while items:
        items = select(ctx, this, items, projection)
        out += items
    return out


def all_children(ctx: Context, items: Collection) -> Collection:
    out: Collection = []
    for item in items:
        children(item, out)
    ctx.spend(len(out) + len(items))
    return out


def descendants(ctx: Context, items: Collection) -> Collection:
    out: Collection = []
    while items:
        items = all_children(ctx, items)
        out += items
    return out


def iif(
    ctx: Context,
    this: Collection,
    items: Collection,
    criterion: Evaluate,
    then: Evaluate,
    other: Evaluate | None = None,
) -> Collection:
    if len(items) > 1:
        raise PathError(f"iif() takes a single item, not {len(items)}")
    focus = items or this
    if truth(criterion(ctx, focus), "iif()"):
        return then(ctx, focus)
    return other(ctx, focus) if other else []


def coalesce(ctx: Context, this: Collection, items: Collection, *choices: Evaluate) -> Collection:
    return next((found for choice in choices if (found := choice(ctx, this))), [])


def trace(
    ctx: Context, this: Collection, items: Collection, name: Evaluate, projection: Evaluate | None = None
) -> Collection:
    if ctx.trace is not None:
        shown = items if projection is None else select(ctx, this, items, projection)
        ctx.trace(str(single(name(ctx, this), "text", "trace")), [plain(item) for item in shown])
    return items


def define(
    ctx: Context, this: Collection, items: Collection, name: Evaluate, value: Evaluate | None = None
) -> Collection:
    called = single(name(ctx, this), "text", "defineVariable")
    if called is None or called in ctx.variables or called in ("context", "resource", "rootResource"):
        raise PathError(f"The variable %{called} cannot be defined here")
    ctx.variables = {**ctx.variables, called: items if value is None else value(ctx, items)}
    return items


def types(ctx: Context, items: Collection) -> Collection:
    out: Collection = []
    for item in items:
        namespace, _, name = type_name(item).partition(".")
        out.append(Item({"namespace": namespace, "name": name}))
    return out


TABLE: Mapping[str, Function] = {
    "where": lazy(where, 1),
    "select": lazy(select, 1),
    "repeat": lazy(repeat, 1),
    "repeatAll": lazy(repeat_all, 1),
    "children": eager(all_children),
    "descendants": eager(descendants),
    "iif": lazy(iif, 2, 3),
    "coalesce": lazy(coalesce, 1, 100),
    "trace": lazy(trace, 1, 2),
    "defineVariable": lazy(define, 1, 2),
    "type": eager(types),
}

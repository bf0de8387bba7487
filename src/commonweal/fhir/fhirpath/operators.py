"""The operators between two expressions, https://hl7.org/fhirpath/N1/#operations."""

from collections.abc import Callable, Mapping

from commonweal.fhir.fhirpath.arithmetic import OPERATORS
from commonweal.fhir.fhirpath.context import Context, text_within
from commonweal.fhir.fhirpath.equality import (
    QUANTITY_STEPS,
    Seen,
    compare,
    distinct,
    equal_collections,
    equivalent_collections,
)
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Evaluate, single, truth
from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.values import Collection

OnCollections = Callable[[Context, Collection, Collection], Collection]


def operation(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """The closure of `left operator right`."""
    if operator in LOGIC:
        return logic(operator, left, right)
    if operator in COLLECTIONS:
        return together(COLLECTIONS[operator], left, right)
    if operator in ORDER:
        return comparison(operator, left, right)
    return arithmetic(operator, left, right)


def together(run: OnCollections, left: Evaluate, right: Evaluate) -> Evaluate:
    def worked(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        return run(ctx, left(ctx, this), right(ctx, this))

    return worked


def arithmetic(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    run = OPERATORS[operator]

    def worked(ctx: Context, this: Collection) -> Collection:
        a = single(left(ctx, this), "any", operator)
        b = single(right(ctx, this), "any", operator)
        ctx.spend(QUANTITY_STEPS if a.__class__ is Quantity or b.__class__ is Quantity else 1)
        found = None if a is None or b is None else run(a, b)
        return [] if found is None else [found]

    return worked


def comparison(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    holds = ORDER[operator]

    def compared(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        a, b = left(ctx, this), right(ctx, this)
        if not a or not b:
            return []
        if len(a) > 1 or len(b) > 1:
            raise PathError(f"{operator} takes single values")
        found = compare(ctx, a[0], b[0])
        return [] if found is None else [holds(found)]

    return compared


ORDER: Mapping[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def logic(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    table, decided = LOGIC[operator]

    def judged(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        a = truth(left(ctx, this), operator)
        if a is decided:
            return [table[a, True]]
        found = table[a, truth(right(ctx, this), operator)]
        return [] if found is None else [found]

    return judged


Truth = bool | None
THREE: tuple[Truth, ...] = (True, False, None)


def truth_table(run: Callable[[Truth, Truth], Truth]) -> Mapping[tuple[Truth, Truth], Truth]:
    return {(a, b): run(a, b) for a in THREE for b in THREE}


def both(a: Truth, b: Truth) -> Truth:
    return False if a is False or b is False else True if a and b else None


def either(a: Truth, b: Truth) -> Truth:
    return True if a or b else False if a is False and b is False else None


def exclusive(a: Truth, b: Truth) -> Truth:
    return None if a is None or b is None else a is not b


def implies(a: Truth, b: Truth) -> Truth:
    return either(None if a is None else not a, b)


# Operator → its truth table, and the left side that decides alone.
LOGIC: Mapping[str, tuple[Mapping[tuple[Truth, Truth], Truth], Truth | str]] = {
    "and": (truth_table(both), False),
    "or": (truth_table(either), True),
    "xor": (truth_table(exclusive), "never"),
    "implies": (truth_table(implies), False),
}


def union(ctx: Context, a: Collection, b: Collection) -> Collection:
    return distinct(ctx, a + b)


def equals(ctx: Context, a: Collection, b: Collection) -> Collection:
    found = equal_collections(ctx, a, b)
    return [] if found is None else [found]


def differs(ctx: Context, a: Collection, b: Collection) -> Collection:
    found = equal_collections(ctx, a, b)
    return [] if found is None else [not found]


def within(ctx: Context, a: Collection, b: Collection) -> Collection:
    """a in b"""
    if len(a) > 1:
        raise PathError(f"in and contains look for a single item, not {len(a)}")
    return [a[0] in Seen(ctx, b)] if a else []


def joined(ctx: Context, a: Collection, b: Collection) -> Collection:
    """a & b: as strings, empty ones as ''."""
    text = (single(a, "text", "&") or "") + (single(b, "text", "&") or "")
    ctx.spend(len(text) >> 8)
    return [text_within(text)]


COLLECTIONS: Mapping[str, OnCollections] = {
    "=": equals,
    "!=": differs,
    "~": lambda ctx, a, b: [equivalent_collections(ctx, a, b)],
    "!~": lambda ctx, a, b: [not equivalent_collections(ctx, a, b)],
    "|": union,
    "in": within,
    "contains": lambda ctx, a, b: within(ctx, b, a),
    "&": joined,
}

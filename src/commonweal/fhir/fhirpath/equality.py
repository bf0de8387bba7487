"""Equals, equivalent, order and distinctness, https://hl7.org/fhirpath/N1/#equality."""

import re
from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Any

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.numbers import Long, alike, same
from commonweal.fhir.fhirpath.quantity import Quantity, as_calendar, together
from commonweal.fhir.fhirpath.temporal import Temporal, Time, order
from commonweal.fhir.fhirpath.values import QUANTITIES, Collection, Item, system

BLANK = re.compile(r"\s")
QUANTITY_STEPS = 20
NUMBERS: frozenset[Any] = frozenset({int, Long, Decimal})


def quantity_of(value: Any) -> Quantity | None:
    """A number counts as a quantity of unit 1, https://hl7.org/fhirpath/N1/#conversion."""
    if value.__class__ in NUMBERS:
        return Quantity(Decimal(value))
    return value if value.__class__ is Quantity else None


def equal_collections(ctx: Context, left: Collection, right: Collection) -> bool | None:
    """The `=` of two collections: in order, item by item; None when either is empty or it cannot be told."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    unknown = False
    for a, b in zip(left, right, strict=True):
        found = equal(ctx, a, b)
        if found is False:
            return False
        unknown = unknown or found is None
    return None if unknown else True


def equal(ctx: Context, left: Any, right: Any) -> bool | None:
    """The `=` of two items."""
    ctx.spend(1)
    if left.__class__ is Item and right.__class__ is Item:
        if left.kind in QUANTITIES and right.kind in QUANTITIES and frozen(ctx, left) == frozen(ctx, right):
            return True
        if (left.extra or right.extra) and frozen_json(ctx, left.extra) != frozen_json(ctx, right.extra):
            return False
    a, b = system(left), system(right)
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return same(a, b)
    if isinstance(a, Temporal) and isinstance(b, Temporal):
        if isinstance(a, Time) != isinstance(b, Time):
            return False
        found = order(a, b)
        return None if found is None else found == 0
    if a.__class__ is Quantity or b.__class__ is Quantity:
        ctx.spend(QUANTITY_STEPS)
        return equal_quantities(quantity_of(a), quantity_of(b))
    return frozen_json(ctx, a) == frozen_json(ctx, b)


def equal_quantities(a: Quantity | None, b: Quantity | None) -> bool | None:
    if a is None or b is None:
        return False
    pair = together(a, b)
    return None if pair is None else same(pair[0].value, pair[1].value)


def equivalent_collections(ctx: Context, left: Collection, right: Collection) -> bool:
    """The `~` of two collections: the same items in any order."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for a in left:
        at = next((i for i, b in enumerate(rest) if equivalent(ctx, a, b)), None)
        if at is None:
            return False
        del rest[at]
    return True


def equivalent(ctx: Context, left: Any, right: Any) -> bool:
    """The `~` of two items: case and kind of blank aside, decimals at the lesser precision."""
    ctx.spend(1)
    a, b = system(left), system(right)
    if a.__class__ is str and b.__class__ is str:
        ctx.spend((len(a) + len(b)) >> 6)
        return BLANK.sub(" ", a).casefold() == BLANK.sub(" ", b).casefold()
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return alike(a, b)
    if a.__class__ is Quantity or b.__class__ is Quantity:
        ctx.spend(QUANTITY_STEPS)
        return equivalent_quantities(quantity_of(a), quantity_of(b))
    if a.__class__ is dict and b.__class__ is dict:
        names = {name for json in (a, b) for name, value in json.items() if value is not None}
        return all(equivalent_collections(ctx, listed(a.get(name)), listed(b.get(name))) for name in names)
    if a.__class__ is list and b.__class__ is list:
        return equivalent_collections(ctx, a, b)
    return equal(ctx, a, b) is True


def equivalent_quantities(a: Quantity | None, b: Quantity | None) -> bool:
    if a is None or b is None:
        return False
    if "calendar" in (a.system, b.system):
        a, b = as_calendar(a), as_calendar(b)
    pair = together(a, b)
    return pair is not None and alike(pair[0].value, pair[1].value)


def listed(value: Any) -> Collection:
    if value is None:
        return []
    return value if value.__class__ is list else [value]


def compare(ctx: Context, left: Any, right: Any) -> int | None:
    """Negative, zero or positive as left is less, the same or greater; None when it cannot be told."""
    a, b = system(left), system(right)
    if a is None or b is None:
        return None
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return 0 if same(a, b) else -1 if a < b else 1
    if a.__class__ is str and b.__class__ is str:
        return (a > b) - (a < b)
    if isinstance(a, Temporal) and isinstance(b, Temporal) and isinstance(a, Time) == isinstance(b, Time):
        return order(a, b)
    x, y = quantity_of(a), quantity_of(b)
    if x is None or y is None:
        raise PathError(f"{shown(a)} and {shown(b)} have no order")
    ctx.spend(QUANTITY_STEPS)
    pair = together(x, y)
    return None if pair is None else compare(ctx, pair[0].value, pair[1].value)


def shown(value: Any) -> str:
    """The value as an error message names it."""
    text = "an element" if value.__class__ is dict else str(value)
    return text if len(text) <= 40 else text[:40] + "…"


def frozen(ctx: Context, item: Any) -> Hashable:
    """A key that is the same for equal items; quantities have none and are compared one by one."""
    value = system(item)
    extra = item.extra if item.__class__ is Item else None
    key: Hashable = value
    if isinstance(value, Temporal):
        key = (isinstance(value, Time), len(value.parts), value.universal(), value.offset is None)
    elif value.__class__ is not Quantity:
        key = frozen_json(ctx, value)
    return (key, frozen_json(ctx, extra)) if extra else key


def frozen_json(ctx: Context, value: Any) -> Hashable:
    """A key that is the same for equal JSON: order of names and nulls aside, 1 equal to 1.0 and not to
    true."""
    if value.__class__ is dict:
        ctx.spend(len(value))
        return frozenset((name, frozen_json(ctx, part)) for name, part in value.items() if part is not None)
    if value.__class__ is list:
        ctx.spend(len(value))
        return tuple(frozen_json(ctx, part) for part in value)
    if value.__class__ is bool:
        return ("boolean", value)
    key: Hashable = value
    return key


class Seen:
    """The items met so far, to tell whether another is new; `=` decides, and what it leaves open is new."""

    def __init__(self, ctx: Context, items: Iterable[Any] = ()) -> None:
        self.ctx = ctx
        self.keys: set[Hashable] = set()
        self.quantities: list[Quantity] = []
        for item in items:
            self.add(item)

    def __contains__(self, item: Any) -> bool:
        value = system(item) if item.__class__ is Item else item
        if value.__class__ is Quantity:
            self.ctx.spend(len(self.quantities) * QUANTITY_STEPS)
            return any(equal_quantities(value, other) for other in self.quantities)
        return frozen(self.ctx, item) in self.keys

    def add(self, item: Any) -> bool:
        """Remember the item; whether it was new."""
        self.ctx.spend(1)
        value = system(item) if item.__class__ is Item else item
        if value.__class__ is Quantity:
            if value in self:
                return False
            self.quantities.append(value)
            return True
        key = frozen(self.ctx, item)
        if key in self.keys:
            return False
        self.keys.add(key)
        return True


def distinct(ctx: Context, items: Iterable[Any]) -> Collection:
    """The items in order, each once."""
    seen = Seen(ctx)
    return [item for item in items if seen.add(item)]

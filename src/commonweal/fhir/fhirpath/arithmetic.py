"""The operators + - * / div mod & on single values, https://hl7.org/fhirpath/N1/#math.

An operation that has no result (division by zero, overflow, units that do not go together) gives None.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal, DecimalException, localcontext
from typing import Any

from commonweal.fhir.fhirpath.context import text_within
from commonweal.fhir.fhirpath.equality import NUMBERS, quantity_of, shown
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.numbers import Long, Number, bounded, tidy
from commonweal.fhir.fhirpath.quantity import (
    SINGULAR,
    Quantity,
    convert,
    is_special,
    reading,
    together,
)
from commonweal.fhir.fhirpath.temporal import Temporal, Time, lowest, moved, span

PLACES = ("year", "month", "day", "hour", "minute", "second")
DAYS_OF_YEAR, DAYS_OF_MONTH = 365, 30


def whole(a: Number, b: Number, value: int) -> Number | None:
    """An integer result: a long if either operand was one."""
    return bounded(Long(value) if Long in (a.__class__, b.__class__) else int(value))


def number(a: Number, b: Number, run: Callable[[Any, Any], Any]) -> Number | None:
    """The result of a sum, difference or product in the wider of the two types."""
    if Decimal in (a.__class__, b.__class__):
        return bounded(run(Decimal(a), Decimal(b)))
    return whole(a, b, run(int(a), int(b)))


def add(a: Any, b: Any) -> Any:
    if a.__class__ is str and b.__class__ is str:
        return text_within(a + b)
    if isinstance(a, Temporal) and b.__class__ is Quantity:
        return later(a, b)
    if isinstance(b, Temporal) and a.__class__ is Quantity:
        return later(b, a)
    return summed(a, b, "+", lambda x, y: x + y)


def subtract(a: Any, b: Any) -> Any:
    if isinstance(a, Temporal) and b.__class__ is Quantity:
        return later(a, b.times(-b.value))
    return summed(a, b, "-", lambda x, y: x - y)


def summed(a: Any, b: Any, sign: str, run: Callable[[Any, Any], Any]) -> Any:
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return number(a, b, run)
    x, y = pair(a, b, sign)
    both = together(x, y)
    if both is None or (is_special(both[0].unit) and both[0].system != "calendar"):
        return None
    value = bounded(run(both[0].value, both[1].value))
    system = both[0].system if both[0].system == "calendar" else "ucum"
    return None if value is None else Quantity(Decimal(value), both[0].unit, system)


def pair(a: Any, b: Any, sign: str) -> tuple[Quantity, Quantity]:
    x, y = quantity_of(a), quantity_of(b)
    if x is None or y is None:
        raise PathError(f"{shown(a)} {sign} {shown(b)} is not defined")
    return x, y


def multiply(a: Any, b: Any) -> Any:
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return number(a, b, lambda x, y: x * y)
    x, y = pair(a, b, "*")
    if is_odd(x) or is_odd(y):
        return None
    for factor, other in ((y, x), (x, y)):
        if (times := plain_factor(factor)) is not None:
            return scaled(other, other.value * times)
    if "calendar" in (x.system, y.system):
        return None
    return scaled(Quantity(x.value, f"{grouped(x.unit)}.{grouped(y.unit)}"), x.value * y.value)


def divide(a: Any, b: Any) -> Any:
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return bounded(Decimal(a) / Decimal(b)) if b else None
    x, y = pair(a, b, "/")
    if is_odd(x) or is_odd(y) or not y.value:
        return None
    if (by := plain_factor(y)) is not None:
        return scaled(x, x.value / by)
    if "calendar" in (x.system, y.system):
        return None
    both = together(x, y)
    if both is not None:
        return scaled(Quantity(Decimal(1)), both[0].value / both[1].value)
    return scaled(Quantity(x.value, f"{grouped(x.unit)}/{grouped(y.unit)}"), x.value / y.value)


def is_odd(quantity: Quantity) -> bool:
    return quantity.system != "calendar" and is_special(quantity.unit)


def plain_factor(quantity: Quantity) -> Decimal | None:
    """The pure number that a quantity without dimension is."""
    found = None if quantity.system == "calendar" else convert(quantity, "1", "ucum")
    return None if found is None else found.value


def grouped(unit: str) -> str:
    return f"({unit})" if "." in unit or "/" in unit else unit


def scaled(quantity: Quantity, value: Decimal) -> Quantity | None:
    value = tidy(value)
    return None if bounded(value) is None else quantity.times(value)


def truncated(a: Any, b: Any) -> Any:
    """a div b."""
    x, y = operands(a, b, "div")
    if x is None or y is None or not y:
        return None
    if Decimal not in (x.__class__, y.__class__):
        quotient = abs(int(x)) // abs(int(y))
        return whole(x, y, -quotient if (x < 0) != (y < 0) else quotient)
    with localcontext(prec=60):
        result = (Decimal(x) / Decimal(y)).to_integral_value(ROUND_DOWN)
    return None if bounded(result) is None else bounded(int(result))


def remainder(a: Any, b: Any) -> Any:
    """a mod b, with the sign of a."""
    x, y = operands(a, b, "mod")
    if x is None or y is None or not y:
        return None
    if Decimal in (x.__class__, y.__class__):
        with localcontext(prec=90):
            return bounded(Decimal(x) % Decimal(y))
    rest = abs(int(x)) % abs(int(y))
    return whole(x, y, -rest if x < 0 else rest)


def operands(a: Any, b: Any, sign: str) -> tuple[Number | None, Number | None]:
    """Two numbers, or the values of two quantities brought to one unit."""
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return a, b
    x, y = pair(a, b, sign)
    both = together(x, y) if reading(x, y) == "ucum" else None
    return (both[0].value, both[1].value) if both else (None, None)


def later(start: Temporal, by: Quantity) -> Temporal | None:
    """A date or time moved by a duration, https://hl7.org/fhirpath/N1/#datetime-arithmetic."""
    unit = by.duration()
    if unit is None:
        raise PathError(f"{shown(by)} is no calendar duration: write year or month, not 'a' or 'mo'")
    months, seconds, _ = SINGULAR[unit]
    if isinstance(start, Time) and PLACES.index("day" if months or unit == "week" else unit_place(unit)) < 3:
        raise PathError(f"{shown(by)} cannot be added to a time of day")
    value = by.value if unit in ("second", "millisecond") else by.value.to_integral_value(ROUND_DOWN)
    if bounded(value) is None:
        return None
    if isinstance(start, Time):
        return later_time(start, value * seconds)
    steps = int(value) * months if months else value * seconds
    parts = months_later(start.parts, int(steps)) if months else seconds_later(start.parts, Decimal(steps))
    return None if parts is None else span(type(start), parts, start.offset)


def unit_place(unit: str) -> str:
    return {"week": "day", "millisecond": "second"}.get(unit, unit)


def later_time(start: Time, seconds: Decimal) -> Time | None:
    parts = moved(
        (2000, 1, 2, *start.parts), timedelta(seconds=float(whole_steps(start.parts, 3, seconds) % 86400))
    )
    found = None if parts is None else span(Time, parts[3:], None)
    return found if isinstance(found, Time) else None


def whole_steps(parts: tuple[Number, ...], first: int, seconds: Decimal) -> Decimal:
    """The duration cut to whole steps of the precision that is known."""
    place = unit_place(PLACES[first + len(parts) - 1])
    step = Decimal("0.001") if place == "second" else SINGULAR[place][1]
    return (seconds / step).to_integral_value(ROUND_DOWN) * step


def months_later(parts: tuple[Number, ...], months: int) -> tuple[Number, ...] | None:
    """So many months on; the last day of a shorter month stands in for a day that it lacks."""
    if len(parts) == 1:
        months = int(Decimal(months) / 12) * 12
    year, month = divmod(int(parts[0]) * 12 + (int(parts[1]) if len(parts) > 1 else 1) - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    if len(parts) < 3:
        return (year, month + 1)[: len(parts)]
    day = int(parts[2])
    while day > 28 and not exists(year, month + 1, day):
        day -= 1
    return (year, month + 1, day, *parts[3:])


def exists(year: int, month: int, day: int) -> bool:
    try:
        lowest((year, month, day))
    except ValueError:
        return False
    return True


def seconds_later(parts: tuple[Number, ...], seconds: Decimal) -> tuple[Number, ...] | None:
    days = int(seconds / 86400)
    if len(parts) == 1:
        return months_later(parts, int(Decimal(days) / DAYS_OF_YEAR) * 12)
    if len(parts) == 2:
        return months_later(parts, int(Decimal(days) / DAYS_OF_MONTH))
    try:
        by = timedelta(milliseconds=int(whole_steps(parts, 0, seconds) * 1000))
    except OverflowError:
        return None
    return moved(parts, by)


def within_range(run: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operation, None where its result is beyond what decimals hold."""

    def safe(a: Any, b: Any) -> Any:
        try:
            return run(a, b)
        except DecimalException:
            return None

    return safe


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": within_range(add),
    "-": within_range(subtract),
    "*": within_range(multiply),
    "/": within_range(divide),
    "div": within_range(truncated),
    "mod": within_range(remainder),
}

"""The current moment and the parts of dates and times,
https://hl7.org/fhirpath/N1/#current-date-and-time-functions.

There is no clock here: the moment is what evaluate() was handed as `now`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.equality import quantity_of
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Function, eager, scalar, single
from commonweal.fhir.fhirpath.quantity import Quantity, together
from commonweal.fhir.fhirpath.temporal import Date, DateTime, Temporal, Time, moment, span
from commonweal.fhir.fhirpath.values import Collection

KINDS: tuple[type[Temporal], ...] = (DateTime, Date, Time)
PARTS = {"yearOf": 0, "monthOf": 1, "dayOf": 2, "hourOf": 3, "minuteOf": 4, "secondOf": 5}


def current(name: str, kind: type[Temporal], first: int, last: int) -> Function:
    def run(ctx: Context, items: Collection) -> Collection:
        if ctx.now is None:
            raise PathError(f"{name}() needs the moment of evaluation, and none was given")
        parts, offset = moment(ctx.now)
        return [span(kind, parts[first:last], offset if kind is DateTime else None)]

    return eager(run)


def point(value: Any) -> Temporal | None:
    """A date or time, also one written in a string."""
    if value.__class__ is str:
        return next((found for kind in KINDS if (found := kind.parse(value))), None)
    return value if isinstance(value, Temporal) else None


def part(value: Any, at: int) -> int | None:
    found = point(value)
    at -= found.first if found else 0
    return int(found.parts[at]) if found and 0 <= at < len(found.parts) else None


def millisecond(value: Any) -> int | None:
    found = point(value)
    if found is None or len(found.parts) + found.first < 6:
        return None
    second = Decimal(found.parts[-1])
    return int(second * 1000) % 1000 if int(second.as_tuple().exponent) < 0 else None


def offset(value: Any) -> Decimal | None:
    found = point(value)
    return None if found is None or found.offset is None else Decimal(found.offset) / 60


def date(value: Any) -> Temporal | None:
    found = point(value)
    return None if found is None or isinstance(found, Time) else span(Date, found.parts[:3], None)


def time(value: Any) -> Time | None:
    found = point(value)
    if not isinstance(found, DateTime) or len(found.parts) < 4:
        return None
    clock = found.text.partition("T")[2]
    return Time.parse(clock.rstrip("Z").partition("+")[0].partition("-")[0])


def comparable(ctx: Context, items: Collection, other: Collection) -> Collection:
    """Whether two quantities can be compared."""
    left, right = (single(one, "any", "comparable") for one in (items, other))
    if not items or not other:
        raise PathError("comparable() takes two quantities")
    x, y = quantity_of(left), quantity_of(right)
    return [isinstance(x, Quantity) and isinstance(y, Quantity) and together(x, y) is not None]


TABLE: Mapping[str, Function] = {
    "now": current("now", DateTime, 0, 6),
    "today": current("today", Date, 0, 3),
    "timeOfDay": current("timeOfDay", Time, 3, 6),
    **{name: scalar(name, lambda value, at=at: part(value, at)) for name, at in PARTS.items()},
    "millisecondOf": scalar("millisecondOf", millisecond),
    "timezoneOffsetOf": scalar("timezoneOffsetOf", offset),
    "dateOf": scalar("dateOf", date),
    "timeOf": scalar("timeOf", time),
    "comparable": eager(comparable, 1),
}

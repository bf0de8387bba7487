"""How far a value of limited precision reaches, https://hl7.org/fhirpath/#boundary-functions."""

from calendar import monthrange
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

from commonweal.fhir.fhirpath.functions.kinds import Function, scalar
from commonweal.fhir.fhirpath.numbers import Long
from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.temporal import Date, DateTime, Temporal, Time, span

MOST_PLACES = 31
# Digits that a precision counts → how many parts (year, month … second) are known.
DIGITS: Mapping[type[Temporal], Mapping[int, int]] = {
    Date: {4: 1, 6: 2, 8: 3},
    DateTime: {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 6},
    Time: {2: 1, 4: 2, 6: 3, 9: 3},
}
FIRST = (1, 1, 1, 0, 0, Decimal(0))
LAST = (9999, 12, 31, 23, 59, Decimal("59.999"))
EAST, WEST = 14 * 60, -12 * 60


def boundary(value: Any, places: int | None, high: bool) -> Any:
    if isinstance(value, Temporal):
        return temporal_boundary(value, places, high)
    if value.__class__ is Quantity:
        found = decimal_boundary(value.value, places, high)
        return None if found is None else value.times(found)
    if value.__class__ in (int, Long, Decimal):
        return decimal_boundary(Decimal(value), places, high)
    return None


def decimal_boundary(value: Decimal, places: int | None, high: bool) -> Decimal | None:
    known = known_places(value)
    wanted = known + 1 if places is None else places
    if not 0 <= wanted <= MOST_PLACES or abs(value.adjusted()) > 60:
        return None
    half = Decimal(5).scaleb(-known - 1)
    with localcontext(prec=120):
        edge = value + half if high else value - half
        return edge.quantize(Decimal(1).scaleb(-wanted), ROUND_CEILING if high else ROUND_FLOOR)


def temporal_boundary(value: Temporal, digits: int | None, high: bool) -> Temporal | None:
    kind = type(value)
    wanted = DIGITS[kind].get(max(DIGITS[kind]) if digits is None else digits)
    if wanted is None:
        return None
    edge = LAST if high else FIRST
    parts = (*value.parts, *edge[value.first + len(value.parts) :])
    if high and not isinstance(value, Time) and len(value.parts) < 3:
        parts = (*parts[:2], monthrange(int(parts[0]), int(parts[1]))[1], *parts[3:])
    if high and parts[-1] == int(parts[-1]) and len(parts) + value.first == 6:
        parts = (*parts[:-1], parts[-1] + Decimal("0.999"))
    offset = value.offset
    if offset is None and kind is DateTime and wanted > 3:
        offset = WEST if high else EAST
    return full(span(kind, parts[:wanted], offset if wanted > 3 else None), wanted)


def full(value: Temporal, wanted: int) -> Temporal:
    """With its milliseconds written, also when they are zero."""
    if wanted + value.first < 6 or "." in value.text:
        return value
    at = value.text.rindex(":", 0, len(value.text) - (6 if value.offset else 0)) + 3
    return type(value)(f"{value.text[:at]}.000{value.text[at:]}", value.parts, value.offset)


def precision(value: Any) -> int | None:
    """How many digits are known."""
    if isinstance(value, Temporal):
        fraction = 3 if int(Decimal(value.parts[-1]).as_tuple().exponent) < 0 else 0
        return 2 * len(value.parts) + (0 if isinstance(value, Time) else 2) + fraction
    if value.__class__ in (int, Long):
        return len(str(abs(value)))
    return known_places(value) if value.__class__ is Decimal else None


def known_places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def low(value: Any, places: int | None = None) -> Any:
    return boundary(value, places, high=False)


def high(value: Any, places: int | None = None) -> Any:
    return boundary(value, places, high=True)


TABLE: Mapping[str, Function] = {
    "lowBoundary": scalar("lowBoundary", low, "any", "whole", optional=1),
    "highBoundary": scalar("highBoundary", high, "any", "whole", optional=1),
    "precision": scalar("precision", precision),
}

"""Numbers as ranges by their precision, and units as comparable names: https://hl7.org/fhir/R4/search.html#number."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from commonweal.fhir import ucum

CURRENCY = "urn:iso:std:iso:4217"
APPROXIMATELY = Decimal("0.1")
"""The prefix ap: a tenth of the number to either side."""


def around(number: Decimal, prefix: str) -> tuple[Decimal, Decimal]:
    """What a number of a query stands for, before it is turned into floats.

    eq and ne: its implicit precision, 100 → 99.5 to (not including) 100.5, and as FHIR's own example has it
    1e2 → 95 to 105; ap: a tenth to either side, and no less than that; all others: the number exactly.
    """
    if prefix not in ("eq", "ne", "ap"):
        return number, number
    exponent = int(number.as_tuple().exponent)
    half = Decimal((0, (5,), exponent - (2 if exponent > 0 else 1)))
    if prefix == "ap":
        half = max(half, abs(number) * APPROXIMATELY)
    return number - half, number + half


def closed(lo: Decimal | float, hi: Decimal | float) -> tuple[float, float]:
    """A range whose end is not included (unless it is a single number), as floats with both ends included."""
    low, high = float(lo), float(hi)
    return (low, high) if low == high else (low, math.nextafter(high, -math.inf))


def compared(number: float, comparator: str | None) -> tuple[float, float]:
    """The range of a Quantity with a comparator: "<5" is everything below 5."""
    match comparator:
        case "<":
            return -math.inf, math.nextafter(number, -math.inf)
        case "<=":
            return -math.inf, number
        case ">":
            return math.nextafter(number, math.inf), math.inf
        case ">=":
            return number, math.inf
    return number, number


@lru_cache(maxsize=1 << 13)
def united(number: Decimal | int, system: str, code: str) -> tuple[float, str]:
    """(number, identity of the unit): in base units for UCUM, as it stands for other systems.

    The same quantity gives the same float however it was written: it is exact until the end.
    """
    unit = ucum.parse(code) if system == ucum.SYSTEM else None
    if unit is None or abs(Decimal(number).adjusted()) > ucum.MAGNITUDE:
        return float(number), f"{system}|{code}"
    top, bottom = number.as_integer_ratio()
    if unit.shift:
        top, bottom = (Fraction(top, bottom) + unit.shift).as_integer_ratio()
    return _divided(top * unit.factor.numerator, bottom * unit.factor.denominator), f"{system}|{unit}"


def _divided(top: int, bottom: int) -> float:
    """The nearest float, or infinity."""
    try:
        return top / bottom
    except OverflowError:
        return math.copysign(math.inf, top)

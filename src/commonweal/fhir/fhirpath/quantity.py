"""System.Quantity: UCUM units, calendar durations, and FHIR quantities that may be read as either.

https://hl7.org/fhirpath/N1/#quantity and https://hl7.org/fhir/R4/fhirpath.html#quantity
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from commonweal.fhir import ucum
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.numbers import bounded, tidy, written

UCUM = "http://unitsofmeasure.org"
# Keyword → (months it lasts or None, seconds it lasts, its UCUM code). Above weeks a calendar duration is
# no fixed time, so it never equals a UCUM unit; among themselves a year is 12 months or 365 days, a month
# 30 days.
SINGULAR: Mapping[str, tuple[int | None, Decimal, str]] = {
    "year": (12, Decimal(365 * 86400), "a"),
    "month": (1, Decimal(30 * 86400), "mo"),
    "week": (None, Decimal(7 * 86400), "wk"),
    "day": (None, Decimal(86400), "d"),
    "hour": (None, Decimal(3600), "h"),
    "minute": (None, Decimal(60), "min"),
    "second": (None, Decimal(1), "s"),
    "millisecond": (None, Decimal("0.001"), "ms"),
}
DURATIONS: Mapping[str, str] = {
    **{name: name for name in SINGULAR},
    **{f"{name}s": name for name in SINGULAR},
}
CALENDAR_OF: Mapping[str, str] = {code: name for name, (_, _, code) in SINGULAR.items()}
# UCUM's units on a logarithmic or trigonometric scale.
LOGARITHMIC = frozenset(
    [
        "Np",
        "B",
        "B[SPL]",
        "B[V]",
        "B[mV]",
        "B[uV]",
        "B[10.nV]",
        "B[W]",
        "B[kW]",
        "[pH]",
        "bit_s",
        "[p'diop]",
        "%[slope]",
        "[hp'_X]",
        "[hp'_C]",
        "[hp'_M]",
        "[hp'_Q]",
        "[m/s2/Hz^0.5]",
    ]
)
FIXED = frozenset(code for months, _, code in SINGULAR.values() if months is None)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit. `system` says how the unit is read: "ucum", "calendar", or "fhir" (a UCUM
    duration from a FHIR Quantity, which is taken as a calendar duration beside one)."""

    value: Decimal
    unit: str = "1"
    system: str = "ucum"

    def __str__(self) -> str:
        unit = self.unit if self.system == "calendar" else f"'{self.unit}'"
        return f"{written(self.value)} {unit}"

    def duration(self) -> str | None:
        """The calendar duration it counts (singular), also for the UCUM units that equal one."""
        if self.system == "calendar":
            return DURATIONS[self.unit]
        return CALENDAR_OF.get(self.unit) if self.system == "fhir" or self.unit in FIXED else None

    def times(self, value: Decimal) -> "Quantity":
        """The same unit with another value."""
        return Quantity(value, self.unit, self.system)


def fhir_quantity(json: Mapping[str, Any]) -> Quantity | None:
    """A FHIR Quantity as a System.Quantity; None when its unit is not UCUM or it has no value."""
    value, code = json.get("value"), json.get("code")
    if value.__class__ not in (int, Decimal) or (code is None and "unit" in json):
        return None
    if code is not None and json.get("system") != UCUM:
        return None
    if json.get("comparator"):
        raise PathError(f"A quantity with the comparator {json['comparator']!r} is no single value")
    unit = "1" if code is None else str(code)
    return Quantity(Decimal(value), unit, "fhir" if unit in CALENDAR_OF else "ucum")


def is_special(unit: str) -> bool:
    """Whether the unit has no ratio scale, so that it cannot be multiplied or added (Cel, bel)."""
    found = ucum.parse(unit)
    return found is None or bool(found.shift) or any(base in LOGARITHMIC for base, _ in found.bases)


def convert(quantity: Quantity, unit: str, system: str) -> Quantity | None:
    """The same amount in another unit, None when there is no such conversion."""
    if system == "calendar":
        return in_calendar(quantity, unit)
    if quantity.system == "calendar":
        code = SINGULAR[DURATIONS[quantity.unit]][2]
        if code not in FIXED or unit not in FIXED:
            return None
        quantity = Quantity(quantity.value, code)
    if quantity.unit == unit:
        return Quantity(quantity.value, unit, system)
    source, target = ucum.parse(quantity.unit), ucum.parse(unit)
    if source is None or target is None or source.bases != target.bases or bounded(quantity.value) is None:
        return None
    value = (Fraction(quantity.value) + source.shift) * source.factor / target.factor - target.shift
    return Quantity(tidy(value), unit, system)


def in_calendar(quantity: Quantity, unit: str) -> Quantity | None:
    duration = quantity.duration()
    if duration is None or (quantity.system == "ucum" and SINGULAR[DURATIONS[unit]][0]):
        return None
    mine, theirs = SINGULAR[duration], SINGULAR[DURATIONS[unit]]
    if bounded(quantity.value) is None:
        return None
    ratio = Fraction(mine[0], theirs[0]) if mine[0] and theirs[0] else Fraction(mine[1]) / Fraction(theirs[1])
    return Quantity(tidy(Fraction(quantity.value) * ratio), unit, "calendar")


def together(a: Quantity, b: Quantity) -> tuple[Quantity, Quantity] | None:
    """Both in the smaller of their two units, None when they cannot be compared."""
    if reading(a, b) == "calendar":
        a, b = as_calendar(a), as_calendar(b)
    ratio = slope(a, b)
    if ratio is None:
        return None
    left = convert(a, b.unit, b.system) if ratio >= 1 else a
    right = b if ratio >= 1 else convert(b, a.unit, a.system)
    return (left, right) if left and right else None


def slope(a: Quantity, b: Quantity) -> Decimal | None:
    """How many of b's unit one of a's unit is, offsets left out."""
    one = convert(a.times(Decimal(1)), b.unit, b.system)
    zero = convert(a.times(Decimal(0)), b.unit, b.system)
    return one.value - zero.value if one and zero else None


def reading(a: Quantity, b: Quantity) -> str:
    """Beside a calendar duration, a duration from a FHIR Quantity is read as one too."""
    return "calendar" if {a.system, b.system} == {"fhir", "calendar"} else "ucum"


def as_calendar(quantity: Quantity) -> Quantity:
    """A duration in UCUM units under the calendar's name for it; anything else as it is."""
    name = CALENDAR_OF.get(quantity.unit)
    return quantity if name is None else Quantity(quantity.value, name, "calendar")


def parse_quantity(text: str) -> Quantity | None:
    """`4 days`, `10 'mg'` or `5`, as toQuantity() reads a string."""
    number, _, unit = text.strip().partition(" ")
    unit = unit.strip()
    try:
        value = Decimal(number) if number.lstrip("+-")[:1].isdigit() and number.isascii() else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or "_" in number or "e" in number.lower():
        return None
    if unit in DURATIONS:
        return Quantity(value, unit, "calendar")
    if len(unit) > 2 and unit[0] == unit[-1] == "'":
        return Quantity(value, unit[1:-1])
    return Quantity(value) if not unit else None

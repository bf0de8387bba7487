"""Conversion, https://hl7.org/fhirpath/N1/#conversion."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from commonweal.fhir.fhirpath.functions.kinds import Function, scalar
from commonweal.fhir.fhirpath.numbers import INTEGER_MAX, LONG_MAX, Long, written
from commonweal.fhir.fhirpath.quantity import DURATIONS, Quantity, convert, parse_quantity
from commonweal.fhir.fhirpath.temporal import Date, DateTime, Time, span

TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
LONGEST_NUMBER = 60


def whole_number(value: Any) -> int | None:
    if value.__class__ is bool or value.__class__ in (int, Long):
        return int(value)
    if value.__class__ is str and len(value) <= LONGEST_NUMBER:
        digits = value[1:] if value[:1] in ("+", "-") else value
        return int(value) if digits.isascii() and digits.isdigit() else None
    return None


def to_integer(value: Any) -> int | None:
    found = whole_number(value)
    return found if found is not None and -INTEGER_MAX - 1 <= found <= INTEGER_MAX else None


def to_long(value: Any) -> Long | None:
    found = whole_number(value)
    return Long(found) if found is not None and -LONG_MAX - 1 <= found <= LONG_MAX else None


def to_decimal(value: Any) -> Decimal | None:
    if value.__class__ is Decimal:
        return value
    if value.__class__ is str and len(value) <= LONGEST_NUMBER:
        digits = (value[1:] if value[:1] in ("+", "-") else value).split(".", 1)
        return Decimal(value) if all(part.isascii() and part.isdigit() for part in digits) else None
    found = whole_number(value)
    return None if found is None else Decimal(found)


def to_boolean(value: Any) -> bool | None:
    if value.__class__ is bool:
        return value
    text = value.lower() if value.__class__ is str else str(value) if value.__class__ in (int, Long) else None
    if value.__class__ is Decimal:
        text = "1" if value == 1 else "0" if value == 0 else None
    return True if text in TRUE else False if text in FALSE else None


def to_string(value: Any) -> str | None:
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is Decimal:
        return written(value)
    return None if value.__class__ in (dict, list) else str(value)


def to_date(value: Any) -> Date | None:
    if value.__class__ is DateTime:
        found = span(Date, value.parts[:3], None)
        return found if isinstance(found, Date) else None
    return value if value.__class__ is Date else Date.parse(value) if value.__class__ is str else None


def to_datetime(value: Any) -> DateTime | None:
    text = str(value) if value.__class__ in (str, Date) else None
    return value if value.__class__ is DateTime else DateTime.parse(text) if text else None


def to_time(value: Any) -> Time | None:
    return value if value.__class__ is Time else Time.parse(value) if value.__class__ is str else None


def to_quantity(value: Any, unit: str | None = None) -> Quantity | None:
    found = quantity(value)
    if found is None or unit is None:
        return found
    return convert(found, unit, "calendar" if unit in DURATIONS else "ucum")


def quantity(value: Any) -> Quantity | None:
    if value.__class__ is Quantity:
        return value
    if value.__class__ is str:
        return parse_quantity(value)
    return Quantity(Decimal(value)) if value.__class__ in (bool, int, Decimal) else None


CONVERSIONS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "Boolean": (to_boolean, 0),
    "Integer": (to_integer, 0),
    "Long": (to_long, 0),
    "Decimal": (to_decimal, 0),
    "String": (to_string, 0),
    "Date": (to_date, 0),
    "DateTime": (to_datetime, 0),
    "Time": (to_time, 0),
    "Quantity": (to_quantity, 1),
}


def conversion(name: str, run: Callable[..., Any], arguments: int) -> tuple[Function, Function]:
    """toX() and convertsToX()."""
    texts = ("text",) * arguments
    to = scalar(f"to{name}", run, "any", *texts, optional=arguments)
    test = scalar(
        f"convertsTo{name}", lambda *given: run(*given) is not None, "any", *texts, optional=arguments
    )
    return to, test


def table() -> Mapping[str, Function]:
    found: dict[str, Function] = {}
    for name, (run, arguments) in CONVERSIONS.items():
        found[f"to{name}"], found[f"convertsTo{name}"] = conversion(name, run, arguments)
    return found


TABLE = table()

"""What a collection holds: System values as Python values, and `Item`, a value found in a resource.

System types (https://hl7.org/fhirpath/N1/#literals): Boolean bool, Integer int, Long Long, Decimal Decimal,
String str, Date, DateTime, Time (temporal.py) and Quantity (quantity.py).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from commonweal.fhir.fhirpath.numbers import Long
from commonweal.fhir.fhirpath.quantity import Quantity, fhir_quantity
from commonweal.fhir.fhirpath.temporal import Date, DateTime, Temporal, Time


class Item:
    """A value found in a resource: `value` as JSON, its FHIR `kind` ("HumanName", "Patient.contact", None
    when not known) and `extra`, the id and extensions of a primitive (its `_name` sibling)."""

    __slots__ = ("extra", "kind", "value")

    def __init__(self, value: Any, kind: str | None = None, extra: Any = None) -> None:
        self.value = value
        self.kind = kind
        self.extra = extra

    def __repr__(self) -> str:
        return f"Item({self.value!r}, {self.kind!r})"


Collection = list[Any]

DATES: Mapping[str, type[Temporal]] = {"date": Date, "dateTime": DateTime, "instant": DateTime, "time": Time}
QUANTITIES = frozenset(
    {"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"}
)


def system(item: Any) -> Any:
    """The System value behind an item, https://hl7.org/fhir/R4/fhirpath.html#types; complex JSON stays as
    it is.

    None stands for a primitive that has extensions but no value."""
    if item.__class__ is not Item:
        return item
    value, kind = item.value, item.kind
    if kind is None:
        return value
    if kind in DATES and value.__class__ is str:
        return DATES[kind].parse(value) or value
    if kind in QUANTITIES and value.__class__ is dict:
        quantity = fhir_quantity(value)
        return value if quantity is None else quantity
    if kind == "decimal" and value.__class__ is int:
        return Decimal(value)
    return value


def plain(item: Any) -> Any:
    """The item as JSON: temporal values, quantities and longs as strings, all else as it is."""
    value = item.value if item.__class__ is Item else item
    return str(value) if value.__class__ in TEXTUAL else value


TEXTUAL = frozenset({Date, DateTime, Time, Quantity, Long})

"""Type names: what a value is, what a type specifier means, and which children a FHIR type has.

https://hl7.org/fhirpath/N1/#types-and-reflection and https://hl7.org/fhir/R4/fhirpath.html#types
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from commonweal.fhir.elements import RESOURCE_TYPES, TYPES, Element, base_of, elements, has_elements
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.numbers import Long
from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.temporal import Date, DateTime, Time
from commonweal.fhir.fhirpath.values import Item

SYSTEM: Mapping[type, str] = {
    bool: "Boolean", int: "Integer", Long: "Long", Decimal: "Decimal", str: "String",
    Date: "Date", DateTime: "DateTime", Time: "Time", Quantity: "Quantity",
}  # fmt: skip
SYSTEM_NAMES = frozenset({*SYSTEM.values(), "Any"})
SYSTEM_OF_FHIR: Mapping[str, str] = {
    "boolean": "Boolean", "integer": "Integer", "positiveInt": "Integer", "unsignedInt": "Integer",
    "decimal": "Decimal", "date": "Date", "dateTime": "DateTime", "instant": "DateTime", "time": "Time",
    "Quantity": "Quantity",
}  # fmt: skip
NOT_PRIMITIVE = frozenset({"xhtml"})

Choice = tuple[str, str, str | None]  # JSON key, key of its `_` sibling, kind


class Children(dict[str, Mapping[str, tuple[Choice, ...]]]):
    """For each FHIR type the JSON keys behind every element name; filled as types are met."""

    def __missing__(self, kind: str) -> Mapping[str, tuple[Choice, ...]]:
        found = self[kind] = children_of(kind)
        return found


def children_of(kind: str) -> Mapping[str, tuple[Choice, ...]]:
    found: dict[str, tuple[Choice, ...]] = {}
    for name, element in elements(kind).items() if has_elements(kind) else ():
        choices = tuple((key, "_" + key, child_kind(element, type)) for key, type in element.forms())
        found |= {choice[0]: (choice,) for choice in choices}
        found[name] = choices
    return found


def child_kind(element: Element, type: str) -> str:
    """A backbone element is known by its path; ids and Extension.url are System strings in R4."""
    return "System.String" if element.attribute else element.path or type


CHILDREN = Children()


def kind_of_root(value: Any) -> str | None:
    """The type that a resource says it is, when R4 knows it."""
    name = value.get("resourceType") if value.__class__ is dict else None
    return name if name.__class__ is str and name in RESOURCE_TYPES else None


def type_name(item: Any) -> str:
    """`FHIR.HumanName`, `System.String` …; an element of no known type is `System.Any`."""
    if item.__class__ is not Item:
        return f"System.{SYSTEM.get(item.__class__, 'Any')}"
    kind = item.kind or kind_of_root(item.value)
    if kind is None:
        return f"System.{SYSTEM.get(item.value.__class__, 'Any')}"
    if kind.startswith("System."):
        return kind
    return f"FHIR.{parent(kind) if '.' in kind else kind}"


def parent(kind: str) -> str:
    """What a type derives from; "" at the top."""
    if "." not in kind or not has_elements(kind):
        return base_of(kind)
    return "BackboneElement" if "modifierExtension" in elements(kind) else "Element"


@lru_cache(maxsize=4096)
def resolved(specifier: str) -> tuple[str | None, str | None]:
    """(System type, FHIR type) that a type specifier may stand for; PathError when there is no such type."""
    namespace, _, name = specifier.rpartition(".")
    as_system = name if namespace in ("", "System") and name in SYSTEM_NAMES else None
    as_fhir = name if namespace in ("", "FHIR") and name in TYPES else None
    if as_system is None and as_fhir is None:
        raise PathError(f"There is no type {specifier!r}")
    return as_system, as_fhir


def is_a(item: Any, specifier: str) -> bool:
    """Whether the item is of the type or of one derived from it."""
    as_system, as_fhir = resolved(specifier)
    if item.__class__ is Item:
        kind = item.kind or kind_of_root(item.value)
        if kind is not None and not kind.startswith("System."):
            return as_fhir is not None and descends(kind, as_fhir)
        if kind is not None:
            return as_system == "Any" or kind == f"System.{as_system}"
    value = item.value if item.__class__ is Item else item
    return as_system is not None and (as_system == "Any" or SYSTEM.get(value.__class__) == as_system)


@lru_cache(maxsize=16384)
def descends(kind: str, ancestor: str) -> bool:
    """Whether a FHIR type is another one or derives from it."""
    while kind and kind != ancestor:
        kind = parent(kind)
    return bool(kind)


def converts_to(item: Any, specifier: str) -> bool:
    """Whether ofType() yields the item: it is of the type, or a FHIR primitive that stands for that System
    type."""
    if is_a(item, specifier):
        return True
    as_system, _ = resolved(specifier)
    kind = item.kind if item.__class__ is Item else None
    return kind is not None and as_system is not None and system_type(kind) == as_system


def system_type(kind: str) -> str | None:
    """The System type that a FHIR primitive is converted to where one is needed."""
    if kind in SYSTEM_OF_FHIR:
        return SYSTEM_OF_FHIR[kind]
    return "String" if kind[0].islower() and kind not in NOT_PRIMITIVE else None

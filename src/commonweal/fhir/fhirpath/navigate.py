"""From an item to its children, https://hl7.org/fhirpath/N1/#path-selection."""

from decimal import Decimal
from typing import Any

from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.types import CHILDREN, Choice, kind_of_root
from commonweal.fhir.fhirpath.values import Collection, Item

ANY_RESOURCE = frozenset({"Resource", "DomainResource"})


def member(item: Any, plain: tuple[Choice, ...], out: Collection) -> None:
    """Append the children of the item under one name; `plain` is the choice to follow where no type is
    known."""
    if item.__class__ is not Item:
        part_of_system(item, plain[0][0], out)
        return
    value, kind = item.value, item.kind
    if value.__class__ is not dict:
        value, kind = item.extra, kind and "Element"
        if value.__class__ is not dict:
            return
    choices = plain if kind is None else CHILDREN[kind].get(plain[0][0], plain)
    for key, hidden, child_kind in choices:
        found, extra = value.get(key), value.get(hidden)
        if found is not None or extra is not None:
            expand(found, extra, child_kind, out)


def expand(found: Any, extra: Any, kind: str | None, out: Collection) -> None:
    """Append a JSON value, or each of a list, together with its `_` sibling."""
    if kind in ANY_RESOURCE:
        for one in found if found.__class__ is list else (found,):
            out.append(Item(one, kind_of_root(one) or kind))
    elif found.__class__ is list or extra.__class__ is list:
        values = found if found.__class__ is list else []
        extras = extra if extra.__class__ is list else []
        for at in range(max(len(values), len(extras))):
            value = values[at] if at < len(values) else None
            beside = extras[at] if at < len(extras) else None
            out.append(Item(value, kind, beside))
    else:
        out.append(Item(found, kind, extra))


def part_of_system(value: Any, name: str, out: Collection) -> None:
    """A System.Quantity has a value and a unit."""
    if value.__class__ is Quantity and name in ("value", "unit"):
        part: Decimal | str = value.value if name == "value" else value.unit
        out.append(part)


def children(item: Any, out: Collection) -> None:
    """Append all children of the item."""
    if item.__class__ is not Item:
        part_of_system(item, "value", out)
        part_of_system(item, "unit", out)
        return
    value, kind = item.value, item.kind
    if value.__class__ is not dict:
        value, kind = item.extra, kind and "Element"
        if value.__class__ is not dict:
            return
    known = CHILDREN[kind] if kind else {}
    for key, found in value.items():
        name = key[1:] if key.startswith("_") else key
        if key == "resourceType" or (name is not key and name in value):
            continue
        child = known[name][0][2] if name in known else None
        if name is key:
            expand(found, value.get("_" + name), child, out)
        else:
            expand(None, found, child, out)

"""A resource as labels and values, in the order of FHIR's own model, however deep it goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from commonweal.fhir.elements import elements, has_elements
from commonweal.web.record.values import Json, Shown, plain, shown
from commonweal.web.record.words import element_name

MOST = 50
"""Items of one list that are shown; the rest are counted."""
ASIDE = frozenset({"id", "meta", "text", "contained", "extension", "modifierExtension", "implicitRules"})
"""What is shown elsewhere, or in words of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One element. `values` of simple types, `groups` of those shown by their elements; `more` are left out."""

    label: str
    name: str
    values: tuple[Shown, ...] = ()
    groups: tuple[tuple["Row", ...], ...] = ()
    more: int = 0


def rows(node: Json, path: str) -> tuple[Row, ...]:
    """The rows of a resource (path "Patient"), a backbone element or a data type."""
    known = _forms(path)
    found = [_row(key, node[key], *known[key]) for key in known if key in node and key not in ASIDE]
    return tuple([*found, *_extensions(node)])


def _row(key: str, value: Any, label: str, type: str, inner: str) -> Row:
    items = value if isinstance(value, list) else [value]
    values: list[Shown] = []
    groups: list[tuple[Row, ...]] = []
    for item in items[:MOST]:
        one = None if item is None else shown(item, type)
        if one is not None:
            values.append(one)
        elif isinstance(item, dict):
            groups.append(rows(item, item.get("resourceType", inner)))
    return Row(element_name(label), key, tuple(values), tuple(groups), max(0, len(items) - MOST))


def _extensions(node: Mapping[str, Any]) -> Iterator[Row]:
    """Extensions of the node and of its primitives; named by the end of their url."""
    for key, value in node.items():
        if key in ("extension", "modifierExtension"):
            for each in value[:MOST]:
                yield _extension(each)
        elif key.startswith("_"):
            items = value if isinstance(value, list) else [value]
            for each in (e for item in items if item for e in item.get("extension", ())):
                yield _extension(each, key[1:])


def _extension(each: Json, of: str = "") -> Row:
    name = str(each.get("url", "")).rstrip("/").rpartition("/")[2]
    label = f"{element_name(of)}: {element_name(name)}" if of else element_name(name)
    key = next((k for k in each if k.startswith("value")), None)
    if key is None:
        return Row(label, each.get("url", ""), (), (tuple(_extensions(each)),))
    known = _forms("Extension").get(key)
    row = _row(key, each[key], *known) if known else Row("", key, (plain(each[key]),))
    return Row(label, each.get("url", ""), row.values, row.groups)


@cache
def _forms(path: str) -> Mapping[str, tuple[str, str, str]]:
    """JSON name → (name of the element, type, path of its own elements)."""
    if not has_elements(path):
        return {}
    return {
        form: (element.name, type, element.path or type)
        for element in elements(path).values()
        for form, type in element.forms()
    }

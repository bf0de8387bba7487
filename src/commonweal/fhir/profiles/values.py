"""Fixed values and patterns: https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from commonweal.fhir.profiles.tree import Node

Stated = tuple[str, Any]


def is_stated(stated: Stated, value: Any) -> bool:
    """Is the value the fixed one, or does it hold all that the pattern says?"""
    kind, wanted = stated
    return _is_same(wanted, value) if kind == "fixed" else _holds(wanted, value)


def _is_same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(value, dict):
        return wanted.keys() == value.keys() and all(_is_same(wanted[name], value[name]) for name in wanted)
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(_is_same, wanted, value))
    if _is_number(wanted) and _is_number(value):
        return Decimal(str(wanted)) == Decimal(str(value))
    return type(wanted) is type(value) and bool(wanted == value)


def _holds(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(n in value and _holds(w, value[n]) for n, w in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_holds(w, v) for v in value) for w in wanted)
    return _is_same(wanted, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def stated_at(node: Node, steps: list[str]) -> list[Stated]:
    """All that a slice says of the values at a path below it, itself or by a pattern further up."""
    found = node.stated()
    here = [found] if found is not None else []
    if not steps:
        return here
    below = [(kind, each) for kind, value in here for each in _inner(value, steps)]
    child = node.child(steps[0])
    return [*below, *(stated_at(child, steps[1:]) if child is not None else [])]


def _inner(value: Any, steps: list[str]) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    if not steps:
        return values
    return [
        inner
        for v in values
        if isinstance(v, dict) and steps[0] in v
        for inner in _inner(v[steps[0]], steps[1:])
    ]

"""What both kinds of patch share: limits, copies, and no empty arrays or objects left behind."""

from __future__ import annotations

from typing import Any

from commonweal.fhir.outcome import Problem

STEPS = 1000
"""Steps of one patch."""
NODES = 200_000
"""Values that the copies of one patch may have together."""
DEEPEST = 100
"""Levels of a pointer, and of what it leads to."""


class Unfit(Exception):
    """The step is well formed, but there is nothing in this resource that it could do."""


class Unclear(Exception):
    """The step itself is not well formed."""


def check_steps(count: int) -> None:
    if count > STEPS:
        raise Problem.of("cw-too-many", limit=STEPS, what="steps in a patch")


def failed(error: Exception, place: str) -> Problem:
    """The problem of one step."""
    status = Problem.invalid(f"the patch cannot be applied: {error}", place)
    return status if isinstance(error, Unclear) else Problem.unprocessable(status.issues)


def size(value: Any, room: int = DEEPEST) -> int:
    """Values in a value, itself included; Unfit when it is deeper than there is room."""
    if room < 0:
        raise Unfit(f"the resource would be deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return 1 + sum(size(each, room - 1) for each in value.values())
    return 1 + sum(size(each, room - 1) for each in value) if isinstance(value, list) else 1


def tidy(value: Any, name: str = "") -> Any:
    """A copy without empty arrays and objects: FHIR has no such thing, and removing the last item makes one.

    In an array beside primitives (`_given`) null stands for what is empty, so that the others keep their place.
    """
    if isinstance(value, dict):
        return {key: inner for key, each in value.items() if not is_empty(inner := tidy(each, key))}
    if not isinstance(value, list):
        return value
    items = [tidy(each) for each in value]
    if name.startswith("_"):
        items = [None if is_empty(each) else each for each in items]
        return items if any(each is not None for each in items) else []
    return [each for each in items if not is_empty(each)]


def is_empty(value: Any) -> bool:
    return isinstance(value, dict | list) and not value

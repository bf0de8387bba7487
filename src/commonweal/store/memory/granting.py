"""Ties, rules and places beside the record, as the resources say that were written."""

from collections.abc import Sequence
from typing import TypeVar

from commonweal.access.consent import Rule, rules
from commonweal.access.places import CIRCLE, is_circle, part_of, upwards
from commonweal.access.relationship import GRANTING, Tie, ties
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change
from commonweal.store.memory.state import State

Kept = TypeVar("Kept", Tie, Rule[str])


def keep(state: State, bases: tuple[str, ...], changes: Sequence[Change]) -> None:
    """After the changes were written; Problem 422 for a place that would lie within itself."""
    for change in changes:
        if change.type in GRANTING:
            _keep_granted(state, bases, change)
    located = {f"Location/{each.id}": each for each in changes if each.type == "Location"}
    if located:
        _keep_places(state, bases, located)


def _keep_granted(state: State, bases: tuple[str, ...], change: Change) -> None:
    source = f"{change.type}/{change.id}"
    state.ties.pop(source, None)
    state.rules.pop(source, None)
    if change.method == "delete":
        return
    resource = change.resource | {"id": change.id}
    if made := ties(resource, bases):
        state.ties[source] = made
    if change.type == "Consent" and (ruled := rules(resource, bases)):
        state.rules[source] = ruled


def _keep_places(state: State, bases: tuple[str, ...], located: dict[str, Change]) -> None:
    for place, change in located.items():
        state.parts.pop(place, None)
        if change.method != "delete":
            state.parts[place] = part_of(change.resource, bases)
    if any(is_circle(place, state.parts) for place in located):
        raise Problem.of("cw-business-rule", why=CIRCLE)
    state.places = {place: frozenset(upwards(place, state.parts)) for place in state.parts}

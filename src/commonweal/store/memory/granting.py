"""Ties, rules and places beside the record, as the resources say that were written."""

from collections.abc import Sequence
from typing import TypeVar

from commonweal.access.consent import Rule, rules
from commonweal.access.facts import Facts
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


def facts(state: State, now: int) -> dict[str, Facts[str]]:
    """What is in force about each patient about whom anything is."""
    tied: dict[str, set[tuple[str, str]]] = {}
    ruled: dict[str, list[Rule[str]]] = {}
    for tie in _in_force(state.ties, now):
        tied.setdefault(tie.patient, set()).add((tie.kind, tie.party))
    for rule in _in_force(state.rules, now):
        ruled.setdefault(rule.patient, []).append(rule)
    return {
        patient: Facts(frozenset(tied.get(patient, ())), tuple(ruled.get(patient, ())))
        for patient in tied.keys() | ruled.keys()
    }


def _in_force(kept: dict[str, tuple[Kept, ...]], now: int) -> list[Kept]:
    return [each for made in kept.values() for each in made if each.since <= now < each.until]


def below(state: State, areas: frozenset[str]) -> frozenset[str]:
    """These areas and every place within one of them."""
    inside = (place for place, within in state.places.items() if not areas.isdisjoint(within))
    return areas.union(inside)

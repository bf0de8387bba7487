"""Which writes a reach allows, by what held before: the plain reference of store/permitting.py."""

from collections.abc import Sequence
from dataclasses import replace

from commonweal.access.reach import EVERYTHING, Reach
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change, Stored
from commonweal.platform.topic import Position
from commonweal.store import refusals
from commonweal.store.belongs import belongs
from commonweal.store.memory.sight import Sight
from commonweal.store.memory.state import Row, State
from commonweal.store.searches.people.links import partners


def check(state: State, changes: Sequence[Change], reach: Reach) -> None:
    """Problem 404 for a change of what is not seen, 403 for what may not be written; `index` says which."""
    if reach == EVERYTHING:
        return
    sight = Sight(state, reach)
    written = {f"{change.type}/{change.id}" for change in changes}
    for number, change in enumerate(changes):
        problem = _against(state, sight, change, reach, written)
        if problem is not None:
            problem.index = number
            raise problem


def _against(state: State, sight: Sight, change: Change, reach: Reach, written: set[str]) -> Problem | None:
    limited = not sight.is_everything
    if change.method != "create":
        old = state.current(change.type, change.id)
        if old is None and not limited:
            return None
        is_over = old is not None and old.stored.deleted and change.method == "update" and limited
        if old is None or is_over or not sight.sees(old):
            return refusals.not_there(change)
    problem = refusals.in_part(change, reach)
    if problem is None and change.method != "delete":
        told = Sight(
            state, replace(reach, sensitive=frozenset())
        )  # whoever writes something sensitive knows it
        seen = told.sees(_new(state, change)) and all(
            each in written or _is_seen(state, sight, each) for each in _linked(state, change)
        )
        problem = None if seen else refusals.elsewhere()
    return problem


def _new(state: State, change: Change) -> Row:
    """The version that would come to be."""
    whose = belongs(change.type, change.id, change.resource, state.bases)
    stored = Stored(change.type, change.id, 0, 0, b"")
    return Row(0, stored, change.resource, change.indexed, whose, Position())


def _linked(state: State, change: Change) -> frozenset[str]:
    """With whom a patient becomes one by this change: what they grant would be shared."""
    if change.type != "Patient":
        return frozenset()
    old = state.current(change.type, change.id)
    return partners(change.resource, state.bases) - (
        partners(old.resource, state.bases) if old else frozenset()
    )


def _is_seen(state: State, sight: Sight, patient: str) -> bool:
    row = state.current("Patient", patient.removeprefix("Patient/"))
    return row is not None and sight.sees(row)

"""Writing: judge all changes against what is current, then make all versions, notices and the audit row."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Audited, Change, Method, Stored
from commonweal.platform.topic import Notice
from commonweal.store.belongs import Belongs, belongs
from commonweal.store.memory import granting
from commonweal.store.memory.state import Row, State
from commonweal.store.tokens import Tokens

Json = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOLD = {"create": "created", "update": "updated", "delete": "deleted"}


def write(
    state: State, tokens: Tokens, bases: tuple[str, ...], changes: Sequence[Change], audited: Audited
) -> list[Stored]:
    """All changes or none; what was stored, in the order given."""
    if len({(each.type, each.id) for each in changes}) < len(changes):
        raise Problem.invalid("one resource is changed twice in one write")
    for number, change in sorted(
        enumerate(changes), key=lambda each: each[1].type
    ):  # as a plan is carried out
        problem = _against(state, change)
        if problem is not None:
            problem.index = number
            raise problem
    stored = [_stored(state, tokens, bases, change) for change in changes]
    written = [each for each in stored if each.method != "found"]
    patients = [each.patient for each in written if each.patient is not None]
    row = replace(
        audited,
        entities=tuple(dict.fromkeys((*audited.entities, *(each.reference for each in stored)))),
        patients=tuple(dict.fromkeys((*audited.patients, *patients))),
    )
    state.audit.append((state.now, row))
    granting.keep(state, bases, changes)
    _tell(state, changes, stored, audited.work)
    return stored


def _against(state: State, change: Change) -> Problem | None:
    """What speaks against a change."""
    name = f"{change.type}/{change.id}"
    current = state.current(change.type, change.id)
    there = None if current is None or current.stored.deleted else current.stored.version
    if change.if_match is not None and there != change.if_match:
        return Problem.precondition_failed(f"{name} is not at version {change.if_match}.")
    if change.method == "create" and current is not None:
        return Problem.conflict(f"There already is a {name}.")
    return None


def _stored(state: State, tokens: Tokens, bases: tuple[str, ...], change: Change) -> Stored:
    """The new version, put in its place; or what is there when there is nothing to do."""
    current = state.current(change.type, change.id)
    is_there = current is not None and not current.stored.deleted
    if change.method == "delete" and not is_there:
        nothing = Stored(change.type, change.id, 0, state.now, b"", True, "found")
        return replace(current.stored, method="found") if current is not None else nothing
    if change.skip_same and current is not None and is_there:
        old = current.stored
        if old.body == body(change, old.version, old.updated):
            return replace(old, method="found")
    row = _row(state, tokens, bases, change, current, is_there)
    earlier = state.versions.get((change.type, change.id), ())
    state.versions[change.type, change.id] = (*earlier, row)
    return row.stored


def _row(
    state: State, tokens: Tokens, bases: tuple[str, ...], change: Change, current: Row | None, is_there: bool
) -> Row:
    version = current.stored.version + 1 if current else 1
    updated = max(state.now, current.stored.updated) if current else state.now
    ends = change.method == "delete"
    text = b"" if ends else body(change, version, updated)
    # Whoever could see it may see that it is gone; and who could not, may not.
    whose = current.belongs if ends and current else belongs(change.type, change.id, change.resource, bases)
    method: Method = "delete" if ends else "update" if is_there else "create"
    patient = tokens.self(whose.patient) if whose.patient else None
    return Row(
        current.key if current else next(state.keys),
        Stored(change.type, change.id, version, updated, text, ends, method, patient),
        {} if ends else codec.parse(text),
        None if ends else change.indexed,
        whose,
        state.position(),
    )


def body(change: Change, version: int, updated: int) -> bytes:
    """The resource as text, with the version and time that the store gives it."""
    resource = change.resource
    meta = {"versionId": str(version), "lastUpdated": stamp(updated)}
    meta |= {name: value for name, value in resource.get("meta", {}).items() if name not in meta}
    own = {"resourceType": change.type, "id": change.id, "meta": meta}
    return codec.encode(own | {name: value for name, value in resource.items() if name not in own})


def stamp(microseconds: int) -> str:
    """An instant, as FHIR writes it."""
    return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _tell(state: State, changes: Sequence[Change], stored: Sequence[Stored], cause: str) -> None:
    for change, each in zip(changes, stored, strict=True):
        if each.method == "found":
            continue
        row = state.current(each.type, each.id)
        whose: Belongs | None = row.belongs if row else None
        subject = (whose.patient if whose else None) or each.reference
        for topic in (f"{each.type}.{TOLD[each.method]}", *change.topics):
            notice = Notice(state.position(), topic, each.type, each.id, each.version, subject, cause)
            state.outbox.append(notice)

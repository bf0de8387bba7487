"""Rows of one type as the arguments of one statement, and what the statement answers as stored versions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Audited, Change, Stored
from commonweal.store.access.granted import NOTHING
from commonweal.store.access.granted import columns as granted
from commonweal.store.audit.rows import columns
from commonweal.store.reads.reading import METHODS
from commonweal.store.writes.rows import Row

Json = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = (
    *("id", "self", "present", "patient", "area", "holder", "date_lo", "date_hi", "code"),
    *("words", "tail", "subject"),
)
AUDITS = (
    *("works", "agents", "purposes", "interactions", "abouts", "queries", "becauses", "outcomes"),
    *("entities", "patients", "roles", "organizations", "clients", "sessions", "addresses"),
)
"""The arguments of create.sql that hold what `audit.rows.columns` makes."""


def arguments(rows: Sequence[Row], changes: Sequence[Change]) -> Json:
    """The columns of rows; the arrays within rows laid end to end, with the place where each begins."""
    values: Json = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    bag: list[int] = []
    starts: tuple[list[int], ...] = ([], [], [], [])
    for row in rows:
        for at, part in zip(starts, (row.tok, row.gram, row.labels, ()), strict=True):
            at.append(len(bag))
            bag.extend(part)
    values.update(zip(("tok_at", "gram_at", "label_at", "end_at"), starts, strict=True), bag=bag)
    values.update(_ranges(rows))
    values.update(granted([(row.self, row.granted) for row in rows if row.granted is not NOTHING]))
    sets = {row.code: row.codings for row in rows if row.codings is not None}
    values["set"] = list(sets)
    values["set_tok"] = ["{" + ",".join(map(str, tok)) + "}" for tok in sets.values()]
    topics = [(number, topic) for number, change in enumerate(changes, 1) for topic in change.topics]
    values["topic_n"], values["topic"] = [n for n, _ in topics], [topic for _, topic in topics]
    values["method"] = [change.method[0] for change in changes]
    values["if_match"] = [change.if_match for change in changes]
    values["skip"] = [change.skip_same for change in changes]
    return values


def _ranges(rows: Sequence[Row]) -> Json:
    ranges = [(number, *each) for number, row in enumerate(rows, 1) for each in row.ranges]
    names = [
        "range_n",
        "range_parameter",
        "range_lo",
        "range_hi",
        "range_unit",
        "range_code",
        "range_entry",
        "range_tok",
    ]
    columns = list(zip(*ranges, strict=True)) or [()] * len(names)
    return dict(zip(names, columns, strict=True))


def touching(audited: Audited, references: Sequence[str], patients: Sequence[int]) -> Audited:
    """The audit row with what the write touched."""
    return replace(
        audited,
        entities=tuple(dict.fromkeys((*audited.entities, *references))),
        patients=tuple(dict.fromkeys((*audited.patients, *patients))),
    )


def audits(rows: Sequence[Audited]) -> Json:
    """The columns of audit rows, each array one column."""
    return dict(zip(AUDITS, columns(rows) if rows else [[]] * len(AUDITS), strict=True))


def audit(row: Audited | None, cause: str) -> Json:
    """The columns of the audit row; without one the statement writes none."""
    known = row or Audited("", "", "", "")
    return {
        "cause": cause,
        "work": row.work if row else None,
        "agent": known.agent,
        "purpose": known.purpose,
        "interaction": known.interaction,
        "about": known.type,
        "query": known.query,
        "because": known.because,
        "outcome": known.outcome,
        "entities": list(known.entities),
        "patients": list(known.patients),
        "role": known.role,
        "organization": known.organization,
        "client": known.client,
        "session": known.session,
        "address": known.address,
    }


@lru_cache(maxsize=256)
def stamp(updated: int) -> str:
    """`meta.lastUpdated` as the database writes it (record.stamp)."""
    return (EPOCH + timedelta(microseconds=updated)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def body(type: str, row: Row, version: int, updated: int) -> bytes:
    """The text of a version as the database composes it (record.body)."""
    head = f'{{"resourceType":"{type}","id":"{row.id}","meta":{{"versionId":"{version}","lastUpdated":"'
    return f'{head}{stamp(updated)}"{row.tail}'.encode()


def created(type: str, rows: Sequence[Row], updated: int) -> list[Stored]:
    """What create.sql has written."""
    return [
        Stored(type, row.id, 1, updated, body(type, row, 1, updated), method="create", patient=row.patient)
        for row in rows
    ]


def changed(type: str, rows: Sequence[Row], answers: Sequence[Mapping[str, Any]]) -> list[Stored]:
    """What change.sql has written, or the Problem that kept it from writing; `index` counts these rows."""
    for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        if answer["what"] in ("x", "m"):
            problem = refusal(type, row.id, answer["what"])
            problem.index = number
            raise problem
    return [_stored(type, row, answer) for row, answer in zip(rows, answers, strict=True)]


def refusal(type: str, id: str, what: str) -> Problem:
    """Why nothing was written: the id is taken, or the version asked for is not the current one."""
    if what == "x":
        return Problem.conflict(f"There is a {type}/{id} already.")
    return Problem.precondition_failed(f"{type}/{id} is not at the version given in If-Match.")


def _stored(type: str, row: Row, answer: Mapping[str, Any]) -> Stored:
    version, updated, gone = answer["version"], answer["updated"], answer["deleted"]
    if answer["what"] == "f":
        text = (answer["body"] or "").encode()
    else:
        text = b"" if gone else body(type, row, version, updated)
    return Stored(type, row.id, version, updated, text, gone, METHODS[answer["what"]], answer["patient"])

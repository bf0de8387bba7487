"""Writes: changes of one type are one statement; of several types, one statement each in one transaction."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from commonweal.access.relationship import GRANTING
from commonweal.fhir import codec
from commonweal.fhir.compartment import patient_of
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Audited, Change, Stored
from commonweal.store.access import keeping, places
from commonweal.store.codings import Codings
from commonweal.store.named import statement
from commonweal.store.reads import reading
from commonweal.store.writes import batch
from commonweal.store.writes.rows import Row, Rows

Connection = Any
Numbered = Sequence[tuple[int, Change]]
HEAVY = 50_000
"""Values to be found by, from which making rows takes a noticeable part of a second."""
HOLD = 'select from record."{type}" where id = any($1::text[]) order by id for update'
"""Before a change, in a statement of its own: one that waited for another writer would not see the ranges which that
one made, and leave them."""
CHUNK = 1000
"""Rows of one statement, so that a bulk write stays within bounded memory."""


def may_regrant(changes: Iterable[Change]) -> bool:
    """Can these change what a resource has granted, or where places lie? Then they take a transaction; what is new
    and grants, and all other types, do not."""
    return any(
        each.type == "Location" or (each.type in GRANTING and each.method != "create") for each in changes
    )


def plan(changes: Sequence[Change]) -> list[Numbered]:
    """Changes by type (in order of type, so that two writes never wait for each other crosswise), each with its
    place in the order given. Problem 400 when one resource is changed twice."""
    seen: set[tuple[str, str]] = set()
    by_type: dict[str, list[tuple[int, Change]]] = {}
    for number, change in enumerate(changes):
        if (change.type, change.id) in seen:
            problem = Problem.invalid(f"{change.type}/{change.id} is changed twice at once")
            problem.index = number
            raise problem
        seen.add((change.type, change.id))
        by_type.setdefault(change.type, []).append((number, change))
    parts = [by_type[type] for type in sorted(by_type)]
    return [part[at : at + CHUNK] for part in parts for at in range(0, len(part), CHUNK)]


class Writer:
    """Carries out the parts of a plan on one connection."""

    def __init__(self, rows: Rows, codings: Codings) -> None:
        self._rows = rows
        self._codings = codings

    async def write(
        self, connection: Connection, parts: Sequence[Numbered], audited: Audited
    ) -> list[Stored]:
        """All parts in turn, the audit row with the last; answers in the order of the changes' numbers.

        Autocommitted when there is one part, of creates that grant nothing anew, and no transaction; else the caller
        holds the transaction.
        """
        if self._codings.is_due:
            await self._codings.refresh(connection)
        done: dict[int, Stored] = {}
        touched: list[str] = []
        patients: list[int] = []
        for part in parts:
            rows = await self._made([change for _, change in part])
            type = part[0][1].type
            touched += [f"{type}/{row.id}" for row in rows]
            patients += [row.patient for row in rows if row.patient is not None]
            row = batch.touching(audited, touched, patients) if part is parts[-1] else None
            changes = [change for _, change in part]
            try:
                stored = await self._part(connection, type, rows, changes, row, audited.work)
            except Problem as problem:
                problem.index = part[problem.index][0] if problem.index is not None else None
                raise
            done.update(zip((number for number, _ in part), stored, strict=True))
            if type == "Location":
                await places.keep(connection, self._rows.tokens, self._rows.bases, changes)
        return [done[number] for number in sorted(done)]

    async def create(
        self, connection: Connection, changes: Sequence[Change], audited: Sequence[Audited]
    ) -> list[Stored]:
        """Creates of one type that have nothing to do with each other, each with an audit row of its own, in
        one statement: all of them or none."""
        if self._codings.is_due:
            await self._codings.refresh(connection)
        type = changes[0].type
        rows = await self._made(changes)
        told = [
            batch.touching(each, [f"{type}/{row.id}"], [row.patient] if row.patient is not None else [])
            for each, row in zip(audited, rows, strict=True)
        ]
        return await self._create(connection, type, rows, changes, told, [each.work for each in audited])

    async def _made(self, changes: Sequence[Change]) -> list[Row]:
        """Their rows; what yields very much is made beside the event loop, so that others go on."""
        make = self._rows.row
        if sum(map(_weight, changes)) < HEAVY:
            return [make(change) for change in changes]
        return await asyncio.to_thread(lambda: [make(change) for change in changes])

    async def _create(
        self,
        connection: Connection,
        type: str,
        rows: Sequence[Row],
        changes: Sequence[Change],
        audited: Sequence[Audited],
        causes: Sequence[str],
    ) -> list[Stored]:
        values = {**batch.arguments(rows, changes), **batch.audits(audited), "causes": causes}
        create = statement("writes", "create", type)
        try:
            answer = await connection.fetchrow(create.text, *create.arguments(values))
        except asyncpg.UniqueViolationError as error:
            raise _taken(type, rows, error) from error
        return batch.created(type, rows, answer["updated"])

    async def _part(
        self,
        connection: Connection,
        type: str,
        rows: Sequence[Row],
        changes: Sequence[Change],
        audited: Audited | None,
        cause: str,
    ) -> list[Stored]:
        if all(change.method == "create" for change in changes):
            row = [audited] if audited else []
            return await self._create(connection, type, rows, changes, row, [cause] * len(rows))
        await connection.execute(HOLD.format(type=type), [row.id for row in rows])
        values = {**batch.arguments(rows, changes), **batch.audit(audited, cause)}
        if any(change.method == "delete" for change in changes):
            await self._name_subjects(connection, type, rows, changes)
            values["subject"] = [row.subject for row in rows]
        change = statement("writes", "change", type)
        stored = batch.changed(type, rows, await connection.fetch(change.text, *change.arguments(values)))
        if type in GRANTING:
            await keeping.keep(connection, [(row.self, row.granted) for row in rows])
        return stored

    async def _name_subjects(
        self, connection: Connection, type: str, rows: Sequence[Row], changes: Sequence[Change]
    ) -> None:
        """What a deleted resource was about; its end is told in order with everything else about that."""
        ends = {row.id: row for row, change in zip(rows, changes, strict=True) if change.method == "delete"}
        for id, found in (await reading.current(connection, type, ends)).items():
            if not found["deleted"]:
                ends[id].subject = patient_of(codec.parse(found["body"]), self._rows.bases)


def _weight(change: Change) -> int:
    """Roughly how much a change is to be found by."""
    found = change.indexed
    return 0 if found is None else len(found.tokens) + len(found.strings) + len(found.ranges)


def _taken(type: str, rows: Sequence[Row], error: asyncpg.UniqueViolationError) -> Problem:
    match = re.search(r"\(id\)=\((.*)\)", error.detail or "")
    ids = [row.id for row in rows]
    if match is None or match[1] not in ids:
        return Problem.conflict("Another write came first.")
    problem = batch.refusal(type, match[1], "x")
    problem.index = ids.index(match[1])
    return problem

"""Which writes a reach allows: judged before anything is written, by what held before.

Of the new version what is sensitive hinders nobody: whoever writes it knows it. They may not see it again.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import Indexed
from commonweal.platform.ports import Change
from commonweal.store import refusals
from commonweal.store.belongs import belongs
from commonweal.store.reads import circumstances, reading
from commonweal.store.reads.circumstances import Circumstances, Whom
from commonweal.store.reads.judging import Case, Judge
from commonweal.store.reads.reaching import Seen
from commonweal.store.searches.people.links import partners

Connection = Any
Old = Mapping[tuple[str, str], Mapping[str, Any]]
Know = Callable[[Collection[Whom]], Awaitable[Mapping[Whom, Circumstances]]]


class Permitting:
    """Judges changes on the connection that will write them; what is there is held until they are written."""

    def __init__(self, judge: Judge, bases: tuple[str, ...]) -> None:
        self._judge = judge
        self._bases = bases

    def asks(self, reach: Reach) -> bool:
        """Is there anything to judge by this reach?"""
        return bool(reach.masked) or not self._judge.reaches.of(reach).everything

    async def check(self, connection: Connection, changes: Sequence[Change], reach: Reach) -> None:
        """Problem 404 for a change of what is not seen, 403 for what may not be written; `index` says which."""
        seen = self._judge.reaches.of(reach)
        old = await self._old(connection, changes, seen)
        new = await self._new(partial(circumstances.about, connection), changes, seen)
        joined = await self._joined(connection, changes, old, seen)
        self._judged(changes, old, new, joined, reach)

    async def check_new(self, know: Know, creates: Sequence[Change], reach: Reach) -> None:
        """The same for creates that join nobody with another, of which nothing is held; by what `know` tells."""
        new = await self._new(know, creates, self._judge.reaches.of(reach))
        self._judged(creates, {}, new, {}, reach)

    def _judged(
        self,
        changes: Sequence[Change],
        old: Old,
        new: Mapping[int, Case],
        joined: Mapping[str, bool],
        reach: Reach,
    ) -> None:
        for number, change in enumerate(changes):
            problem = self._against(change, old, new.get(number), joined, reach)
            if problem is not None:
                problem.index = number
                raise problem

    def _against(
        self, change: Change, old: Old, new: Case | None, joined: Mapping[str, bool], reach: Reach
    ) -> Problem | None:
        seen = self._judge.reaches.of(reach)
        if change.method != "create":
            row = old.get((change.type, change.id))
            if row is None and seen.everything:
                return None
            is_over = row is not None and row["deleted"] and change.method == "update" and not seen.everything
            if row is None or is_over or not self._judge.sees(seen, change.type, row):
                return refusals.not_there(change)
        problem = refusals.in_part(change, reach)
        if problem is not None:
            return problem
        linked = _linked(change, old, self._bases)
        if new is not None and not (
            self._judge.admits(seen.told, new) and all(joined[each] for each in linked)
        ):
            return refusals.elsewhere()
        return None

    async def _old(self, connection: Connection, changes: Sequence[Change], seen: Seen) -> Old:
        """What is there of what is changed; in the order in which all writes take hold of rows."""
        by_type: dict[str, list[str]] = {}
        for change in sorted(changes, key=lambda change: change.type):
            if change.method != "create":
                by_type.setdefault(change.type, []).append(change.id)
        old: dict[tuple[str, str], Mapping[str, Any]] = {}
        for type, ids in by_type.items():
            rows = await reading.held(connection, type, ids, known=seen.asks_known)
            old |= {(type, id): row for id, row in rows.items()}
        return old

    async def _new(self, know: Know, changes: Sequence[Change], seen: Seen) -> dict[int, Case]:
        """The versions that would come to be, with what holds about whom they are about."""
        if seen.everything:
            return {}
        made = {n: self._case(each) for n, each in enumerate(changes) if each.method != "delete"}
        if seen.asks_known and made:
            known = await know({(patient, case.area) for case, patient in made.values()})
            for case, patient in made.values():
                case.known = known[patient, case.area]
        return {number: case for number, (case, _) in made.items()}

    def _case(self, change: Change) -> tuple[Case, int | None]:
        """A version, and its patient."""
        whose = belongs(change.type, change.id, change.resource, self._bases)
        hashed, label = self._judge.reaches.tokens.self, self._judge.reaches.tokens.label
        case = Case(
            change.type,
            change.id,
            0,
            False,
            hashed(whose.area) if whose.area else None,
            hashed(whose.holder) if whose.holder else None,
            frozenset(map(label, whose.labels)),
            circumstances.NONE,
            change.indexed or Indexed(),
        )
        return case, hashed(whose.patient) if whose.patient else None

    async def _joined(
        self, connection: Connection, changes: Sequence[Change], old: Old, seen: Seen
    ) -> dict[str, bool]:
        """May those be seen whom the changes make one with others? What they grant would be shared."""
        linked = frozenset[str]().union(*(_linked(change, old, self._bases) for change in changes))
        if not linked or seen.everything:
            return dict.fromkeys(linked, True)
        written = {f"{change.type}/{change.id}" for change in changes}
        ids = [each.removeprefix("Patient/") for each in linked]
        found = await reading.current(connection, "Patient", ids, known=seen.asks_known)
        there = {f"Patient/{id}" for id, row in found.items() if self._judge.sees(seen, "Patient", row)}
        return {each: each in there or each in written for each in linked}


def _linked(change: Change, old: Old, bases: tuple[str, ...]) -> frozenset[str]:
    """With whom a patient becomes one by this change."""
    if change.type != "Patient" or change.method == "delete":
        return frozenset()
    row = old.get(("Patient", change.id))
    before = (
        partners(codec.parse(row["body"]), bases) if row is not None and not row["deleted"] else frozenset()
    )
    return partners(change.resource, bases) - before

"""May a row be seen? The plain reference of what reads/judging.py and searches/bounding.py find in hashes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from commonweal.access.reach import Grant, Reach
from commonweal.access.relationship import AREA, EMERGENCY, Tie
from commonweal.fhir.search.clauses import Clause, Criterion
from commonweal.fhir.search.index import Indexed
from commonweal.fhir.search.match import Subject, matches
from commonweal.store.memory.state import Row, State


class Sight:
    """What one reach lets see of one state, at its time."""

    def __init__(self, state: State, reach: Reach) -> None:
        self._state = state
        self._reach = reach

    @cached_property
    def is_everything(self) -> bool:
        """Is no row held back? Fields may be."""
        reach = self._reach
        hinders = reach.denied_labels or reach.denied_patients or reach.sensitive or reach.parties
        free = [grant for grant in reach.grants if grant.unhindered or not hinders]
        plain = [
            [replace(each, unhindered=False, ties=None) for each in group] for group in (free, *reach.within)
        ]
        return all(Grant() in group for group in plain)

    def rows(self, types: tuple[str, ...] = ()) -> Iterator[Row]:
        """Current rows, not deleted and in reach, in order of key; of all types when none is named."""
        for row in sorted(self._current, key=lambda row: row.key):
            if (not types or row.stored.type in types) and self.sees(row):
                yield row

    def sees(self, row: Row) -> bool:
        """Some grant holds that nothing hinders, and some grant of every group within holds too."""
        reach = self._reach
        if self.is_everything:
            return True
        holding = [grant for grant in reach.grants if self._holds(grant, row)]
        free = any(grant.unhindered for grant in holding)
        if not free and (not holding or self._is_hindered(row)):
            return False
        return all(any(self._holds(grant, row) for grant in group) for group in reach.within)

    def _holds(self, grant: Grant, row: Row) -> bool:
        whose = row.belongs
        return (
            (grant.types is None or row.stored.type in grant.types)
            and (grant.organizations is None or whose.holder in grant.organizations)
            and (grant.patients is None or not grant.patients.isdisjoint(self._people(row)))
            and (grant.areas is None or self._lies_in(grant.areas, row))
            and (grant.parties is None or self._is_tied(grant, grant.parties, row))
            and all(_meets(clause, row) for clause in grant.criteria)
        )

    def _people(self, row: Row) -> frozenset[str]:
        """The row's patient and whoever is one with them."""
        patient = row.belongs.patient
        return frozenset() if patient is None else self._one_with.get(patient, frozenset((patient,)))

    def _ties(self, row: Row) -> Iterator[Tie]:
        people, now = self._people(row), self._state.now
        every = (tie for made in self._state.ties.values() for tie in made)
        return (tie for tie in every if tie.patient in people and tie.since <= now < tie.until)

    def _lies_in(self, areas: frozenset[str], row: Row) -> bool:
        """The row's own place, or where its patient lives, is one of these or lies below one."""
        own = [row.belongs.area] if row.belongs.area else []
        homes = [tie.party for tie in self._ties(row) if tie.kind == AREA]
        places = self._state.places
        return any(not areas.isdisjoint({place, *places.get(place, ())}) for place in (*own, *homes))

    def _is_tied(self, grant: Grant, parties: frozenset[str], row: Row) -> bool:
        return any(
            tie.party in parties
            and (tie.kind in grant.ties if grant.ties is not None else tie.kind != EMERGENCY)
            for tie in self._ties(row)
        )

    def _is_hindered(self, row: Row) -> bool:
        """Does a label, a denial or a consent stand against it?"""
        reach, labels = self._reach, frozenset(row.belongs.labels)
        return (
            not reach.denied_labels.isdisjoint(labels)
            or not reach.denied_patients.isdisjoint(self._people(row))
            or any(not self._concern(row, (label,), deny=False) for label in reach.sensitive & labels)
            or self._concern(row, labels, deny=True)
        )

    def _concern(self, row: Row, labels: Iterable[str], *, deny: bool) -> bool:
        """Does the patient deny the row with these labels to one of the parties; or permit these labels, by name?"""
        reach, people, now = self._reach, self._people(row), self._state.now
        return bool(reach.parties) and any(
            rule.concerns(reach.parties, reach.purpose, row.stored.type, labels)
            for made in self._state.rules.values()
            for rule in made
            if rule.deny == deny and (deny or rule.labels is not None)
            if rule.patient in people and rule.since <= now < rule.until
        )

    @cached_property
    def _current(self) -> list[Row]:
        newest = (versions[-1] for versions in self._state.versions.values())
        return [row for row in newest if not row.stored.deleted]

    @cached_property
    def _one_with(self) -> dict[str, frozenset[str]]:
        return {one: group for group in self._state.people() for one in group}


def _meets(clause: Clause, row: Row) -> bool:
    """Criteria are asked of the row alone; what has been deleted says nothing any more."""
    stored = row.stored
    if not isinstance(clause, Criterion) or clause.parameter.resource != stored.type or stored.deleted:
        return False
    return matches(
        clause, Subject(stored.type, stored.id, stored.updated, row.indexed or Indexed()), _Nobody()
    )


class _Nobody:
    """The others of a row that is judged alone."""

    def find(self, reference: str) -> Subject | None:
        return None

    def of(self, type: str) -> Iterable[Subject]:
        return ()

"""May a row be seen? Judged here, row by row, by what the row says and what holds about its patient."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from commonweal.access.relationship import AREA
from commonweal.fhir import codec
from commonweal.fhir.search.clauses import Clause, Criterion
from commonweal.fhir.search.index import Indexed, extract
from commonweal.fhir.search.match import Subject, matches
from commonweal.fhir.search.parameters import Registry
from commonweal.store.reads import circumstances
from commonweal.store.reads.circumstances import Circumstances, Rule
from commonweal.store.reads.reaching import Reaches, Seen, Way


@dataclass(slots=True)
class Case:
    """One version: its access columns, what is known about its patient, and its index where it is asked for."""

    type: str
    id: str
    updated: int
    deleted: bool
    area: int | None
    holder: int | None
    labels: frozenset[int]
    known: Circumstances
    indexed: Indexed | None = None
    body: str = ""

    @classmethod
    def of(cls, type: str, row: Mapping[str, Any], known: Circumstances) -> "Case":
        """A row of SEEN."""
        return cls(
            type,
            row["id"],
            row["updated"],
            row["deleted"],
            row["area"],
            row["holder"],
            frozenset(row["labels"] or ()),
            known,
            body=row["body"],
        )


class Judge:
    """Judges cases; finds out what a resource says when a grant has criteria."""

    def __init__(self, reaches: Reaches, registry: Registry) -> None:
        self.reaches = reaches
        self._registry = registry

    def sees(self, seen: Seen, type: str, row: Mapping[str, Any]) -> bool:
        """A row of SEEN, of KNOWN when the reach asks for that."""
        if seen.everything:
            return True
        known = circumstances.read(row["known"]) if seen.asks_known else circumstances.NONE
        return self.admits(seen, Case.of(type, row, known))

    def admits(self, seen: Seen, case: Case) -> bool:
        """Some way leads there that nothing hinders, and one of every group within leads there too."""
        leading = [way for way in seen.ways if self._leads(way, case)]
        if not any(way.unhindered for way in leading) and (not leading or is_hindered(seen, case)):
            return False
        return all(any(self._leads(way, case) for way in group) for group in seen.within)

    def _leads(self, way: Way, case: Case) -> bool:
        return (
            way.is_of(case.type)
            and (way.holders is None or case.holder in way.holders)
            and (way.patients is None or not way.patients.isdisjoint(case.known.people))
            and (way.areas is None or _is_around(way.areas, case))
            and (way.parties is None or _is_tied(way, way.parties, case.known))
            and all(self._meets(clause, case) for clause in way.criteria)
        )

    def _meets(self, clause: Clause, case: Case) -> bool:
        """What has been deleted says nothing; what asks about other rows is not asked of one."""
        if not asks_of(clause, case.type) or case.deleted:
            return False
        if case.indexed is None:
            case.indexed = extract(codec.parse(case.body), self._registry)
        return matches(clause, Subject(case.type, case.id, case.updated, case.indexed), _Nobody())


def asks_of(clause: Clause, type: str) -> TypeGuard[Criterion]:
    """Is it a criterion that a row of this type can answer by itself?"""
    return isinstance(clause, Criterion) and clause.parameter.resource == type


def about(way: Way, known: Circumstances) -> Way | None:
    """What the way still asks of a row about this patient; None when it does not lead to them."""
    if way.patients is not None and way.patients.isdisjoint(known.people):
        return None
    if way.parties is not None and not _is_tied(way, way.parties, known):
        return None
    lives_there = way.areas is not None and not way.areas.isdisjoint(_homes(known))
    areas = None if lives_there else way.areas
    return replace(way, patients=None, parties=None, areas=areas, homes=False)


def _is_around(areas: frozenset[int], case: Case) -> bool:
    """The row's own place, or where its patient lives, is one of these or lies within one."""
    return not areas.isdisjoint((case.area, *case.known.places, *_homes(case.known)))


def _homes(known: Circumstances) -> Iterator[int]:
    yield from (party for kind, party in known.ties if kind == AREA)
    yield from known.homes


def _is_tied(way: Way, parties: frozenset[int], known: Circumstances) -> bool:
    return any(kind in way.kinds and party in parties for kind, party in known.ties)


def is_hindered(seen: Seen, case: Case) -> bool:
    """Does a label, a denial or a consent stand against whoever is not free of them?"""
    hidden = hindering(seen, case.type, case.known)
    return hidden is None or not hidden.isdisjoint(case.labels)


def hindering(seen: Seen, type: str, known: Circumstances) -> frozenset[int] | None:
    """The labels that keep a row of this type from being seen, by what its patient has decided; None: all are kept."""
    asked = [rule for rule in known.rules if _is_asked(rule, seen, type)]
    permitted = frozenset[int]().union(*(rule.labels or () for rule in asked if not rule.deny))
    denied = [rule.labels for rule in asked if rule.deny]
    if not seen.patients.isdisjoint(known.people) or None in denied:
        return None
    return (seen.sensitive - permitted).union(seen.labels, *(each or () for each in denied))


def _is_asked(rule: Rule, seen: Seen, type: str) -> bool:
    """Is it about one of the parties, their purpose and this type?"""
    return (
        bool(seen.parties)
        and (rule.parties is None or not seen.parties.isdisjoint(rule.parties))
        and seen.parties.isdisjoint(rule.but)
        and (rule.purposes is None or seen.purpose in rule.purposes)
        and (rule.types is None or type in rule.types)
    )


class _Nobody:
    """The others of a row that is judged alone."""

    def find(self, reference: str) -> Subject | None:
        return None

    def of(self, type: str) -> Iterable[Subject]:
        return ()

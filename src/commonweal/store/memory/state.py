"""What is kept: every version of every resource, and what stands beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from commonweal.access.consent import Rule
from commonweal.access.relationship import Tie
from commonweal.fhir.search.index import Indexed
from commonweal.platform.ports import Audited, Stored, Timer
from commonweal.platform.topic import Notice, Position
from commonweal.store.belongs import Belongs
from commonweal.store.beside.ledger import Posting
from commonweal.store.searches.people.links import Groups, groups, partners

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One version; `key` is the resource's number and stays the same through its versions."""

    key: int
    stored: Stored
    resource: Json
    indexed: Indexed | None
    belongs: Belongs
    position: Position


@dataclass(slots=True)
class State:
    """Everything one commit may change. A transaction works on a copy, which then takes the old one's place;
    the counts are shared, so that a number once drawn is never drawn again. `audit` is this commit's own.

    `ties` and `rules` by the reference of the resource that makes them; `parts`: what a place is part of;
    `places`: every place with itself and all that it lies in (granting.py keeps them).
    """

    now: int = 0
    transaction: int = 0
    transactions: Iterator[int] = field(default_factory=lambda: count(1))
    sequence: Iterator[int] = field(default_factory=lambda: count(1))
    keys: Iterator[int] = field(default_factory=lambda: count(1))
    versions: dict[tuple[str, str], tuple[Row, ...]] = field(default_factory=dict)
    outbox: list[Notice] = field(default_factory=list)
    timers: dict[str, Timer] = field(default_factory=dict)
    postings: dict[str, Posting] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    ties: dict[str, tuple[Tie, ...]] = field(default_factory=dict)
    rules: dict[str, tuple[Rule[str], ...]] = field(default_factory=dict)
    parts: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, frozenset[str]] = field(default_factory=dict)
    audit: list[tuple[int, Audited]] = field(default_factory=list)
    bases: tuple[str, ...] = ()

    def begin(self, now: int) -> "State":
        """A copy for the next transaction."""
        return replace(
            self,
            now=now,
            transaction=next(self.transactions),
            versions=dict(self.versions),
            outbox=list(self.outbox),
            timers=dict(self.timers),
            postings=dict(self.postings),
            held=dict(self.held),
            ties=dict(self.ties),
            rules=dict(self.rules),
            parts=dict(self.parts),
            places=dict(self.places),
            audit=[],
        )

    def position(self) -> Position:
        """The next place in the order of everything written."""
        return Position(self.transaction, next(self.sequence))

    def current(self, type: str, id: str) -> Row | None:
        """The newest version, deleted or not."""
        versions = self.versions.get((type, id))
        return versions[-1] if versions else None

    def people(self) -> Groups:
        """The patients ("Patient/x") who are one with others by their links."""
        newest = (versions[-1] for versions in self.versions.values())
        patients = (row for row in newest if row.stored.type == "Patient" and not row.stored.deleted)
        linked = ((row.stored.reference, partners(row.resource, self.bases)) for row in patients)
        return groups({one: others for one, others in linked if others})

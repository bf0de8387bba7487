"""What matches, in plain words of Python: the reference that every store must agree with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from commonweal.fhir.search.clauses import Clause, Sort
from commonweal.fhir.search.index import Indexed


@dataclass(frozen=True, slots=True)
class Subject:
    """One current resource as search sees it; `updated` in microseconds is its _lastUpdated."""

    type: str
    id: str
    updated: int
    indexed: Indexed

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


class Others(Protocol):
    """The other resources, as far as the asker may see them (reach is applied by the store)."""

    def find(self, reference: str) -> Subject | None:
        """By "Type/id"."""

    def of(self, type: str) -> Iterable[Subject]:
        """All of one type."""


def matches(clause: Clause, subject: Subject, others: Others) -> bool:
    """Does the subject meet the clause?"""
    raise NotImplementedError


def in_compartment(compartment: tuple[str, str], subject: Subject) -> bool:
    """Is the subject in the compartment, e.g. ("Patient", "123")?"""
    raise NotImplementedError


def sort_key(sort: Sort, subject: Subject) -> tuple[bool, float | str]:
    """(has no value, value): sort ascending by it after negating for descending; see `order`."""
    raise NotImplementedError

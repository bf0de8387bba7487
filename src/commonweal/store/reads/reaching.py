"""What an agent may see, in the hashes of the access columns: judged here row by row, or by SQL in a search."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from commonweal.access.reach import Grant, Reach
from commonweal.store.tokens import Tokens

Hashes = frozenset[int] | None
Bind = Callable[[Any, str], str]
"""Takes a value and its SQL type, gives its place in the statement."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A grant: each of type, area, holder and patient must be among these; None asks nothing."""

    types: frozenset[str] | None
    columns: tuple[tuple[str, Hashes], ...]

    @property
    def is_plain(self) -> bool:
        """Asks nothing but the type."""
        return all(among is None for _, among in self.columns)

    def holds(self, type: str, row: Mapping[str, Any]) -> bool:
        if self.types is not None and type not in self.types:
            return False
        return all(among is None or row[name] in among for name, among in self.columns)


@dataclass(frozen=True, slots=True)
class Seen:
    """A reach in hashes."""

    everything: bool
    grants: tuple[Allowed, ...]
    labels: frozenset[int]
    patients: frozenset[int]

    def sees(self, type: str, row: Mapping[str, Any]) -> bool:
        """May this row be seen? Needs its patient, area, holder and labels."""
        if self.everything:
            return True
        if row["patient"] in self.patients or not self.labels.isdisjoint(row["labels"] or ()):
            return False
        return any(grant.holds(type, row) for grant in self.grants)

    def where(self, type: str, alias: str, bind: Bind) -> list[str]:
        """The same as conditions of SQL on an alias; "false" when nothing of this type is seen."""
        if self.everything:
            return []
        conditions = []
        ways = [grant for grant in self.grants if grant.types is None or type in grant.types]
        if not any(grant.is_plain for grant in ways):
            alternatives = [_alternative(grant, alias, bind) for grant in ways]
            conditions.append(f"({' or '.join(alternatives)})" if ways else "false")
        if self.labels:
            denied = bind(sorted(self.labels), "int8[]")
            conditions.append(f"not coalesce({alias}.labels && {denied}, false)")
        if self.patients:
            denied = bind(sorted(self.patients), "int8[]")
            conditions.append(f"coalesce({alias}.patient <> all({denied}), true)")
        return conditions


def _alternative(grant: Allowed, alias: str, bind: Bind) -> str:
    asked = [(name, among) for name, among in grant.columns if among is not None]
    return " and ".join(f"{alias}.{name} = any({bind(sorted(among), 'int8[]')})" for name, among in asked)


class Reaches:
    """Hashes reaches, and remembers those it met."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.of = lru_cache(maxsize=1024)(self._of)

    def _of(self, reach: Reach) -> Seen:
        return Seen(
            not reach.denied_labels and not reach.denied_patients and Grant() in reach.grants,
            tuple(self._allowed(grant) for grant in reach.grants),
            frozenset(self.tokens.label(each) for each in reach.denied_labels),
            frozenset(self.tokens.self(each) for each in reach.denied_patients),
        )

    def _allowed(self, grant: Grant) -> Allowed:
        columns = {"area": grant.areas, "holder": grant.organizations, "patient": grant.patients}
        return Allowed(grant.types, tuple((name, self._hashes(among)) for name, among in columns.items()))

    def _hashes(self, references: Iterable[str] | None) -> Hashes:
        return None if references is None else frozenset(self.tokens.self(each) for each in references)

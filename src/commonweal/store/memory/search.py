"""Searching: every clause asked of every resource in reach; then sorting, pages and includes."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from commonweal.access.reach import Reach
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import Indexed
from commonweal.fhir.search.match import Subject, in_compartment, matches, sort_key
from commonweal.fhir.search.query import Include, Query
from commonweal.platform.ports import Page, Stored
from commonweal.store import masking
from commonweal.store.memory.sight import Sight
from commonweal.store.memory.state import Row, State

PAGE = 50
"""Matches of one page when the search does not say how many."""


class Visible:
    """All resources in reach, as `match` asks for them: a chain sees no more than a search would. What refers to
    a person refers to all records of that person."""

    def __init__(self, state: State, reach: Reach) -> None:
        self._rows = {row.stored.reference: row for row in Sight(state, reach).rows()}
        self._people = {one: group for group in state.people() for one in group}

    def find(self, reference: str) -> Subject | None:
        row = self._rows.get(reference)
        if row is None:
            return None
        # What a List holds is what stands in it.
        return subject(row) if row.stored.type == "List" else self.subject(row)

    def of(self, type: str) -> Iterable[Subject]:
        return (self.subject(row) for row in self._rows.values() if row.stored.type == type)

    def subject(self, row: Row) -> Subject:
        """A row as it is compared."""
        plain = subject(row)
        to = plain.indexed.references
        also = [(name, one) for name, target in to for one in self._people.get(target, ()) if one != target]
        return replace(plain, indexed=replace(plain.indexed, references=[*to, *also])) if also else plain

    def row(self, reference: str) -> Row | None:
        return self._rows.get(reference)

    def rows(self, types: Sequence[str]) -> list[Row]:
        """In order of key; all types when none is named."""
        return [row for row in self._rows.values() if not types or row.stored.type in types]


def subject(row: Row) -> Subject:
    """A row as search sees it."""
    stored = row.stored
    return Subject(stored.type, stored.id, stored.updated, row.indexed or Indexed())


def matching(state: State, query: Query, reach: Reach) -> list[Row]:
    """Everything that matches, in order of key."""
    masking.refuse(query, reach)
    return _matching(Visible(state, reach), query)


def page(state: State, query: Query, reach: Reach) -> Page:
    """One page; its cursor holds the sort values and the key of its last match."""
    masking.refuse(query, reach)
    visible = Visible(state, reach)
    found = _matching(visible, query)
    total = len(found) if query.total != "none" or query.summary == "count" or query.count == 0 else None
    if query.summary == "count" or query.count == 0:
        return Page([], total=total)
    ordered = sorted((_place(query, row), row) for row in found)
    if query.cursor:
        last = _read(query, query.cursor)
        ordered = [each for each in ordered if each[0] > last]
    size = PAGE if query.count is None else query.count
    shown = [row for _, row in ordered[:size]]
    more = _write(ordered[size - 1][0]) if len(ordered) > size else None
    joined = _included(visible, query, shown)
    return Page(_stored(shown, reach), _stored(joined, reach), more, total)


def first(state: State, query: Query, reach: Reach) -> Page:
    """The first matches in order of key, and nothing else."""
    found = matching(state, query, reach)[: PAGE if query.count is None else query.count]
    return Page(_stored(found, reach))


def _stored(rows: Sequence[Row], reach: Reach) -> list[Stored]:
    return [masking.shown(row.stored, reach) for row in rows]


def _matching(visible: Visible, query: Query) -> list[Row]:
    types = (query.type,) if query.type else query.types
    return [row for row in visible.rows(types) if _is_match(visible, query, visible.subject(row))]


def _is_match(visible: Visible, query: Query, asked: Subject) -> bool:
    if query.compartment and not in_compartment(query.compartment, asked):
        return False
    return all(matches(clause, asked, visible) for clause in query.where)


class Down:
    """A value that sorts the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "Down") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Down) and bool(other.value == self.value)


Place = tuple[Any, ...]
"""Where a match stands: for each sort (has it no value, the value), then its key."""


def _place(query: Query, row: Row) -> Place:
    values = [sort_key(sort, subject(row)) for sort in query.sort]
    return _placed(query, [*values, row.key])


def _placed(query: Query, values: Sequence[Any]) -> Place:
    """What has no value comes last either way round."""
    downs = [sort.descending for sort in query.sort]
    parts = [
        (missing, Down(value) if down and not missing else value)
        for (missing, value), down in zip(values[:-1], downs, strict=True)
    ]
    return (*parts, values[-1])


def _write(place: Place) -> str:
    values = [(missing, each.value if isinstance(each, Down) else each) for missing, each in place[:-1]]
    return base64.urlsafe_b64encode(msgspec.json.encode([*values, place[-1]])).decode()


def _read(query: Query, cursor: str) -> Place:
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor))
        return _placed(query, values)
    except (ValueError, TypeError, msgspec.DecodeError):
        raise Problem.invalid("this page's address is not one of ours", "_cursor") from None


def _included(visible: Visible, query: Query, shown: Sequence[Row]) -> list[Row]:
    """What the includes add, each once and never what is a match already."""
    matched = {row.stored.reference for row in shown}
    found: dict[str, Row] = {}
    fresh, first = list(shown), True
    while fresh:
        asked = [include for include in query.includes if first or include.iterate]
        joined = [row for include in asked for row in _joined(visible, include, fresh)]
        fresh = []
        for row in joined:
            if row.stored.reference not in matched and row.stored.reference not in found:
                found[row.stored.reference] = row
                fresh.append(row)
        first = False
    return list(found.values())


def _joined(visible: Visible, include: Include, rows: Sequence[Row]) -> list[Row]:
    if include.reverse:
        own = {row.stored.reference for row in rows if include.target in (None, row.stored.type)}
        found = visible.rows((include.source,))
        return [row for row in found if own.intersection(_references(include, visible.subject(row).indexed))]
    sources = [row for row in rows if include.source in ("*", row.stored.type)]
    told = (target for row in sources for target in _references(include, row.indexed or Indexed()))
    targets = [visible.row(reference) for reference in told]
    return [row for row in targets if row is not None and include.target in (None, row.stored.type)]


def _references(include: Include, indexed: Indexed) -> list[str]:
    names = include.parameter.names if include.parameter else None
    return [target for name, target in indexed.references if names is None or name in names]

"""Sorting by what the table keeps only as hashes: the matches are sorted here, and there may not be too many."""

from collections.abc import AsyncIterator, Sequence
from functools import total_ordering
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.clauses import Sort
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.match import Subject, sort_key
from commonweal.fhir.search.parameters import Registry
from commonweal.store.searches.selecting import Row

MOST = 10_000
"""Matches that are sorted here; more would take too long for one request."""


@total_ordering
class Down:
    """A value that sorts the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "Down") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Down) and bool(other.value == self.value)


async def sorted_rows(
    rows: AsyncIterator[Row],
    sorts: Sequence[Sort],
    registry: Registry,
    size: int,
    place: Sequence[Any] | None,
) -> tuple[list[Row], list[Any] | None]:
    """A page of these rows behind a place, and the place where it ends if there are more."""
    found: list[tuple[tuple[Any, ...], list[Any], Row]] = []
    async for row in rows:
        values = [*_values(row, sorts, registry), row["key"]]
        found.append((_comparable(values, sorts), values, row))
        if len(found) > MOST:
            raise Problem.too_costly(
                f"more than {MOST} resources would have to be sorted by this parameter; narrow the search"
            )
    found.sort(key=lambda each: each[0])
    if place is not None:
        last = _comparable(place, sorts)
        found = [each for each in found if each[0] > last]
    shown = found[:size]
    return [row for _, _, row in shown], shown[-1][1] if len(found) > size else None


def _values(row: Row, sorts: Sequence[Sort], registry: Registry) -> list[Any]:
    indexed = extract(codec.parse(row["body"]), registry)
    subject = Subject(row["type"], row["id"], row["updated"], indexed)
    keys = [sort_key(sort, subject) for sort in sorts]
    return [None if missing else value for missing, value in keys]


def _comparable(place: Sequence[Any], sorts: Sequence[Sort]) -> tuple[Any, ...]:
    """What has no value comes last either way round."""
    parts: list[Any] = []
    for value, sort in zip(place[:-1], sorts, strict=True):
        parts.append(value is None)
        if value is not None:
            parts.append(Down(value) if sort.descending else value)
    return (*parts, place[-1])

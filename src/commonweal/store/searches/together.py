"""Searches asked in the same moment: those of one shape, each about few resources, are one statement."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from commonweal.store.searches.selecting import Row, Statement

Connection = Any
LARGEST = 32
"""Searches of one statement."""
_PLACE = re.compile(r"\$(\d+)::(\w+)(\[\])?")


async def rows(connection: Connection, asked: Collection[Statement]) -> Mapping[Statement, Sequence[Row]]:
    """What each finds."""
    by_text: dict[str, list[Statement]] = {}
    for each in asked:
        by_text.setdefault(each.text, []).append(each)
    found: dict[Statement, Sequence[Row]] = {}
    for text, alike in by_text.items():
        for at in range(0, len(alike), LARGEST):
            found |= await _alike(connection, text, alike[at : at + LARGEST])
    return found


async def _alike(
    connection: Connection, text: str, asked: Sequence[Statement]
) -> Mapping[Statement, Sequence[Row]]:
    if len(asked) == 1:
        return {asked[0]: await connection.fetch(text, *asked[0].values)}
    shared, arrays = _shared(text)
    columns = [
        [_written(value) for value in column] if is_array else list(column)
        for column, is_array in zip(zip(*(each.values for each in asked), strict=True), arrays, strict=True)
    ]
    found: dict[Statement, list[Row]] = {each: [] for each in asked}
    for row in await connection.fetch(shared, *columns):
        found[asked[row["n"] - 1]].append(row)
    return found


@lru_cache(maxsize=512)
def _shared(text: str) -> tuple[str, tuple[bool, ...]]:
    """The statement that runs this one for each of many sets of values, and which of them are arrays: those are sent
    as text, since in an array of arrays all have one length."""
    kinds = {int(number): (kind, bool(array)) for number, kind, array in _PLACE.findall(text)}
    places = sorted(kinds)
    sent = ", ".join(f"${n}::{'text' if kinds[n][1] else kinds[n][0]}[]" for n in places)
    names = ", ".join(f"p{n}" for n in places)
    each = _PLACE.sub(lambda found: f"a.p{found[1]}{'::' + found[2] + '[]' if found[3] else ''}", text)
    return (
        f"select a.n, r.* from unnest({sent}) with ordinality a ({names}, n) cross join lateral ({each}) r",
        tuple(kinds[n][1] for n in places),
    )


def _written(values: Iterable[int | str] | None) -> str | None:
    """An array as PostgreSQL reads it."""
    return None if values is None else "{" + ",".join(map(_item, values)) + "}"


def _item(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

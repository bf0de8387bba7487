"""Does the index agree with the bodies? Every row's columns and ranges are worked out anew and compared."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.platform.ports import Change
from commonweal.store.writes.rows import Row, Rows

Connection = Any
Ranges = Sequence[tuple[Any, ...]]
BATCH = 500
PLAIN = ("self", "present", "patient", "area", "holder", "date_lo", "date_hi", "code", "words")
LISTS = ("tok", "gram", "labels")
COLUMNS = ", ".join(("key", "id", "version", *PLAIN, *LISTS, "body"))
"""What is read of a row to be compared."""
RANGES = (
    "select row, parameter, lo, hi, unit, code, entry, tok from record.ranged where row = any($1::int8[])"
)


async def index_faults(
    connection: Connection, rows: Rows, registry: Registry, type: str, every: int = 1
) -> AsyncIterator[tuple[int, str]]:
    """For each batch (how many were examined, ""), and for each difference (0, what differs where)."""
    text = (
        f'select {COLUMNS} from record."{type}" '
        "where not deleted and abs(hashint8(key)::int8) % $1 = 0 order by key"
    )
    cursor = await connection.cursor(text, every)
    while batch := await cursor.fetch(BATCH):
        ranges = await ranges_of(connection, [row["key"] for row in batch])
        yield len(batch), ""
        for row in batch:
            fault = _fault(rows, registry, type, row, ranges.get(row["key"], []))
            if fault:
                yield 0, f"{type}/{row['id']}: {fault}"
    ends = f"""select id from record."{type}" r where deleted and (
        tok <> '{{}}' or gram is not null or exists (select from record.ranged where row = r.key))"""
    for row in await connection.fetch(ends):
        yield 0, f"{type}/{row['id']} is deleted and can still be found"


async def ranges_of(connection: Connection, keys: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    """The ranges of rows by their keys."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in await connection.fetch(RANGES, keys):
        found.setdefault(row["row"], []).append(_range(tuple(row)[1:]))
    return found


def _range(values: Sequence[Any]) -> tuple[Any, ...]:
    """A range as it can be compared: hashes as text, as they are sent, or as numbers, as they come back."""
    *plain, tok = values
    hashes = tok.strip("{}").split(",") if isinstance(tok, str) else [str(each) for each in tok or ()]
    return (*plain[:1], *map(_number, plain[1:3]), *plain[3:], tuple(sorted(filter(None, hashes))))


def _number(value: float) -> float:
    return float(value)


def _fault(rows: Rows, registry: Registry, type: str, row: Mapping[str, Any], ranges: Ranges) -> str:
    """What differs, or nothing."""
    try:
        _, differing = compared(rows, registry, type, row, ranges)
    except UNREADABLE as error:
        return f"its body cannot be read: {error!r}"
    return f"{', '.join(differing)} not what the body says" if differing else ""


UNREADABLE = (Problem, ValueError, KeyError, TypeError, AttributeError)
"""What comes of a body that is none."""


def compared(
    rows: Rows, registry: Registry, type: str, row: Mapping[str, Any], ranges: Ranges
) -> tuple[Row, list[str]]:
    """The row as it is to be, and in what it is not."""
    resource = codec.parse(row["body"])
    wanted = rows.row(Change("update", type, row["id"], resource, extract(resource, registry)))
    differing = [name for name in PLAIN if getattr(wanted, name) != row[name]]
    differing += [name for name in LISTS if sorted(getattr(wanted, name)) != sorted(row[name] or ())]
    if sorted(map(_range, wanted.ranges), key=repr) != sorted(ranges, key=repr):
        differing.append("ranges")
    return wanted, differing

"""Reads by id: the rows of versions, and what their reach is judged by."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.platform.ports import Method, Stored
from commonweal.store.reads import circumstances

Connection = Any
Found = Mapping[str, Mapping[str, Any]]
"""Rows by id."""

METHODS: Mapping[str, Method] = {"c": "create", "u": "update", "d": "delete", "f": "found"}
"""What the letter in the column `method` stands for."""
SEEN = "id, version, updated, deleted, method, patient, area, holder, labels, body"
"""What every read fetches: the version itself and what its reach is judged by."""
KNOWN = f"{SEEN}, {circumstances.known('t.patient', 't.area')} as known"
"""The same, with what holds about its patient and place."""


USED = """
select relname from pg_class
where relnamespace = 'record'::regnamespace and relkind = 'r' and relname = any($1::text[])
and pg_relation_size(oid) > 0 order by relname"""


def stored(type: str, row: Mapping[str, Any]) -> Stored:
    """A row of SEEN as a version."""
    return Stored(
        type,
        row["id"],
        row["version"],
        row["updated"],
        row["body"].encode(),
        row["deleted"],
        METHODS[row["method"].decode()],
        row["patient"],
    )


async def current(connection: Connection, type: str, ids: Iterable[str], *, known: bool = False) -> Found:
    """The current rows of these ids, with what holds about their patients where a reach asks for that."""
    picked = KNOWN if known else SEEN
    rows = await connection.fetch(
        f'select {picked} from record."{type}" t where id = any($1::text[])', list(ids)
    )
    return {row["id"]: row for row in rows}


def currently(type: str, *, known: bool) -> Callable[[Connection, Iterable[str]], Awaitable[Found]]:
    """Reads the current rows of one type."""
    return lambda connection, ids: current(connection, type, ids, known=known)


async def held(connection: Connection, type: str, ids: Iterable[str], *, known: bool) -> Found:
    """The same, which nobody else may change until the transaction ends."""
    picked = KNOWN if known else SEEN
    rows = await connection.fetch(
        f'select {picked} from record."{type}" t where id = any($1::text[]) order by id for update of t',
        list(ids),
    )
    return {row["id"]: row for row in rows}


async def version(
    connection: Connection, type: str, id: str, number: int, *, known: bool
) -> Mapping[str, Any] | None:
    """One version, current or superseded."""
    picked = KNOWN if known else SEEN
    row: Mapping[str, Any] | None = await connection.fetchrow(
        f'select {picked} from record."{type}" t where id = $1 and version = $2 union all '
        f'select {picked} from history."{type}" t where id = $1 and version = $2',
        id,
        number,
    )
    return row


async def used_types(connection: Connection, among: Sequence[str] = ()) -> list[str]:
    """The types that have any record at all, so that a search over all does not visit empty tables."""
    return [row["relname"] for row in await connection.fetch(USED, sorted(among or RESOURCE_TYPES))]

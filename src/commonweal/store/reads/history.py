"""History at its three levels, newest first: https://hl7.org/fhir/R4/http.html#history."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Page, Scope
from commonweal.store import masking
from commonweal.store.reads.binding import Binding
from commonweal.store.reads.cursors import Cursors
from commonweal.store.reads.reaching import Reaches
from commonweal.store.reads.reading import SEEN, stored

Connection = Any
USED = """
select relname from pg_class
where relnamespace = 'record'::regnamespace and relkind = 'r' and relname = any($1::text[])
and pg_relation_size(oid) > 0 order by relname"""


async def used_types(connection: Connection, among: Sequence[str] = ()) -> list[str]:
    """The types that have any record at all, so that a search over all does not visit empty tables."""
    return [row["relname"] for row in await connection.fetch(USED, sorted(among or RESOURCE_TYPES))]


class History:
    """Pages of versions; a cursor holds the time and the place in the order of writes of the last one."""

    def __init__(self, reaches: Reaches, key: bytes) -> None:
        self._reaches = reaches
        self._cursors = Cursors(key)

    async def page(
        self, scope: Scope, reach: Reach, lent: Callable[[], AbstractAsyncContextManager[Connection]]
    ) -> Page:
        about = f"history {scope.type}/{scope.id}"
        after = self._cursors.read(about, scope.cursor) if scope.cursor else None
        if scope.type is not None and scope.type not in RESOURCE_TYPES:
            raise Problem.of("cw-unknown-type", type=scope.type)
        async with lent() as connection:
            types = [scope.type] if scope.type else await used_types(connection)
            bind = Binding()
            parts = [self._part(table, type, scope, reach, after, bind) for type in types for table in TABLES]
            limit = bind(scope.count + 1, "int8")
            text = " union all ".join(parts) + f" order by updated desc, seq desc limit {limit}"
            rows = await connection.fetch(text, *bind.values) if parts else []
        shown = [masking.shown(stored(row["type"], row), reach) for row in rows[: scope.count]]
        if len(rows) <= scope.count or not shown:
            return Page(shown)
        last = rows[scope.count - 1]
        return Page(shown, next=self._cursors.write(about, [last["updated"], last["seq"]]))

    def _part(
        self, schema: str, type: str, scope: Scope, reach: Reach, after: Sequence[int] | None, bind: Binding
    ) -> str:
        """What one table has to say: no more than a page of it."""
        where = self._reaches.of(reach).where(type, "t", bind)
        if scope.id is not None:
            where.append(f"t.id = {bind(scope.id, 'text')}")
        if scope.since is not None:
            where.append(f"t.updated >= {bind(scope.since, 'int8')}")
        if scope.until is not None:
            where.append(f"t.updated <= {bind(scope.until, 'int8')}")
        if after is not None:
            updated, seq = (bind(each, "int8") for each in after)
            where.append(f"t.updated <= {updated} and (t.updated, t.seq) < ({updated}, {seq})")
        condition = f" where {' and '.join(where)}" if where else ""
        limit = bind(scope.count + 1, "int8")
        return (
            f"(select '{type}' as type, seq, {SEEN} from {schema}.\"{type}\" t{condition}"
            f" order by t.updated desc, t.seq desc limit {limit})"
        )


TABLES = ("record", "history")

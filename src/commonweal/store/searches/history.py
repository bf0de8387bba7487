"""History at its three levels, newest first: https://hl7.org/fhir/R4/http.html#history."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Page, Scope
from commonweal.store import masking
from commonweal.store.facts import Facts
from commonweal.store.reads.binding import Binding
from commonweal.store.reads.cursors import Cursors
from commonweal.store.reads.judging import Judge
from commonweal.store.reads.reaching import Seen
from commonweal.store.reads.reading import KNOWN, SEEN, stored, used_types
from commonweal.store.searches.aliases import Alias
from commonweal.store.searches.bounding import Bounds
from commonweal.store.searches.clusters import Clusters

Connection = Any
Lend = Callable[[], AbstractAsyncContextManager[Connection]]
Row = Mapping[str, Any]
Place = Sequence[int]


class History:
    """Pages of versions; a cursor holds the time and the place in the order of writes of the last one."""

    def __init__(self, judge: Judge, facts: Facts, clusters: Clusters, key: bytes) -> None:
        self._judge = judge
        self._facts = facts
        self._clusters = clusters
        self._cursors = Cursors(key)

    async def page(self, scope: Scope, reach: Reach, lent: Lend) -> Page:
        about = f"history {scope.type}/{scope.id}"
        after = self._cursors.read(about, scope.cursor) if scope.cursor else None
        if scope.type is not None and scope.type not in RESOURCE_TYPES:
            raise Problem.of("cw-unknown-type", type=scope.type)
        if self._clusters.is_due:
            await self._clusters.refresh(lent())
        rows = await self._rows(scope, self._judge.reaches.of(reach), after, lent)
        shown = [masking.shown(stored(row["type"], row), reach) for row in rows[: scope.count]]
        if len(rows) <= scope.count or not shown:
            return Page(shown)
        last = rows[scope.count - 1]
        return Page(shown, next=self._cursors.write(about, [last["updated"], last["seq"]]))

    async def _rows(self, scope: Scope, seen: Seen, after: Place | None, lent: Lend) -> list[Row]:
        """One more than a page, if there are as many. What a version says of itself no table holds: where that is
        asked, the versions are judged here, a page after the other."""
        found: list[Row] = []
        async with lent() as connection:
            types = [scope.type] if scope.type else await used_types(connection)
            while types and len(found) <= scope.count:
                rows = await self._fetched(connection, types, scope, seen, after)
                if not seen.asks_content:
                    return rows
                found += [row for row in rows if self._judge.sees(seen, row["type"], row)]
                if len(rows) <= scope.count:
                    break
                after = rows[-1]["updated"], rows[-1]["seq"]
        return found

    async def _fetched(
        self, connection: Connection, types: Sequence[str], scope: Scope, seen: Seen, after: Place | None
    ) -> list[Row]:
        bind = Binding()
        bounds = Bounds(seen, bind, self._clusters)
        picked = KNOWN if seen.asks_content and seen.asks_known else SEEN
        parts = [
            self._part(
                f'{schema}."{type}"',
                Alias("t", self._facts.of(type), bind, anchored=scope.id is not None),
                scope,
                bounds,
                after,
                picked,
            )
            for type in types
            for schema in SCHEMAS
        ]
        limit = bind(scope.count + 1, "int8")
        text = " union all ".join(parts) + f" order by updated desc, seq desc limit {limit}"
        return list(await connection.fetch(text, *bind.values))

    def _part(
        self, table: str, alias: Alias, scope: Scope, bounds: Bounds, after: Place | None, picked: str
    ) -> str:
        """What one table has to say: no more than a page of it."""
        bind, where = alias.bind, bounds.of(alias)
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
        return (
            f"(select '{alias.type}' as type, seq, {picked} from {table} t{condition}"
            f" order by t.updated desc, t.seq desc limit {bind(scope.count + 1, 'int8')})"
        )


SCHEMAS = ("record", "history")

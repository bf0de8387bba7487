"""Statements of a search: over one type, or over several side by side; each the same text for the same shape."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir.search.clauses import Criterion, Query, Sort
from commonweal.store.codings import Codings
from commonweal.store.facts import Facts
from commonweal.store.reads.binding import Binding
from commonweal.store.reads.circumstances import Circumstances, Whom
from commonweal.store.reads.reaching import Reaches
from commonweal.store.reads.reading import SEEN
from commonweal.store.searches.aliases import Alias
from commonweal.store.searches.bounding import Bounds
from commonweal.store.searches.clusters import Clusters
from commonweal.store.searches.compiling import Compiler, Lists, is_anchored, is_telling
from commonweal.store.searches.conditions import Conditions
from commonweal.store.searches.ordering import behind, order_by, ordered
from commonweal.store.tokens import Tokens

Connection = Any
Row = Mapping[str, Any]
Lend = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Lenders:
    """Connections for statements whose plan fits all values, and for those planned for the values at hand; what tells
    what holds about patients; and what runs together those of the first sort that come together."""

    work: Lend
    search: Lend
    know: Callable[[Collection[Whom]], Awaitable[Mapping[Whom, Circumstances]]]
    gather: Callable[["Statement"], Awaitable[Sequence[Row]]] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A search ready to be written: its types, what its lists hold, and the times it is held to. `known`: what holds
    about the one patient whom all its rows are about."""

    query: Query
    reach: Reach
    types: Sequence[str]
    lists: Lists
    known: Circumstances | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """`anchored`: few rows whatever the values, so one plan fits all of them. Each is one of its own."""

    text: str
    values: Sequence[Any]
    anchored: bool

    async def fetch(self, lenders: Lenders) -> Sequence[Row]:
        if self.anchored and lenders.gather is not None:
            return await lenders.gather(self)
        async with (lenders.work if self.anchored else lenders.search)() as connection:
            rows: Sequence[Row] = await connection.fetch(self.text, *self.values)
        return rows


class Selecting:
    """Writes statements with the hashes of one installation."""

    def __init__(
        self, tokens: Tokens, facts: Facts, reaches: Reaches, clusters: Clusters, codings: Codings
    ) -> None:
        self._tokens = tokens
        self._facts = facts
        self._reaches = reaches
        self._clusters = clusters
        self._conditions = Conditions(tokens, clusters, codings)
        self._alone = Conditions(tokens, Clusters(), codings)

    def rows(self, asked: Asked, sorts: Sequence[Sort], limit: int, place: Sequence[Any] | None) -> Statement:
        """The rows of SEEN with `type`, their sort values v0, v1 … and their key, in order, from a place on."""
        writing = _Writing(self, asked)
        parts = [writing.rows(type, sorts, limit, place) for type in asked.types]
        text = parts[0]
        if len(parts) > 1:
            inner = " union all ".join(f"({part})" for part in parts)
            text = f"select * from ({inner}) u order by {writing.order} limit {writing.bind(limit, 'int8')}"
        return writing.statement(text)

    def several(self, numbered: Sequence[tuple[int, Asked]], limit: int) -> Statement:
        """The first rows of several searches, in order of key, each with the `number` of its search."""
        bind, parts, anchored = Binding(), [], True
        for number, asked in numbered:
            writing = _Writing(self, asked, bind, few=True)
            most = limit if asked.query.count is None else asked.query.count
            rows = (writing.rows(type, (), most, None) for type in asked.types)
            parts += [f"select {bind(number, 'int4')} as number, t.* from ({each}) t" for each in rows]
            anchored &= writing.anchored
        return Statement(" union all ".join(parts), bind.values, anchored)

    def count(self, asked: Asked) -> Statement:
        """How many rows there are."""
        writing = _Writing(self, asked)
        parts = [f"(select count(*) {writing.found(writing.alias(type))})" for type in asked.types]
        return writing.statement(f"select {' + '.join(parts)} as total")

    def compiler(self, asked: Asked, bind: Binding) -> Compiler:
        bounds = Bounds(self._reaches.of(asked.reach), bind, self._clusters, self._alone)
        return Compiler(self._tokens, self._facts, self._conditions, bounds, asked.lists, bind)

    def anchored(self, asked: Asked) -> bool:
        query = asked.query
        return all(is_anchored(self._facts.of(type), query.where, query.compartment) for type in asked.types)


class _Writing:
    """One statement while it is written. `few`: it finds few rows, whatever the database believes. They are put
    in order in a way no index answers; else it may walk a whole table in that order to come upon them."""

    def __init__(
        self, selecting: Selecting, asked: Asked, bind: Binding | None = None, *, few: bool = False
    ) -> None:
        self.bind = bind or Binding()
        self.few = few or any(is_telling(clause) for clause in asked.query.where)
        self.order = ""
        self.anchored = selecting.anchored(asked)
        self._asked = asked
        self._compiler = selecting.compiler(asked, self.bind)

    def statement(self, text: str) -> Statement:
        return Statement(text, self.bind.values, self.anchored)

    def alias(self, type: str) -> Alias:
        return self._compiler.alias(type, self.anchored)

    def found(self, alias: Alias) -> str:
        """FROM and WHERE."""
        asked, query = self._asked, self._asked.query
        where = self._compiler.where(alias, query.where, query.compartment, asked.known)
        if asked.since is not None:
            where += f" and {alias.column('updated')} >= {self.bind(asked.since, 'int8')}"
        if asked.until is not None:
            where += f" and {alias.column('updated')} < {self.bind(asked.until, 'int8')}"
        return f'from record."{alias.type}" {alias.name} where {where}'

    def rows(self, type: str, sorts: Sequence[Sort], limit: int, place: Sequence[Any] | None) -> str:
        alias = self.alias(type)
        values = ordered(alias, sorts, self._certain)
        names = [*(f"v{number}" for number in range(len(sorts))), "key"]
        found = self.found(alias)
        if place is not None:
            found += f" and {behind(alias, values, place)}"
        picked = ", ".join(f"{each.sql} as {name}" for each, name in zip(values, names, strict=True))
        self.order = order_by(values, names)
        own = order_by(values, [each.unindexed if self.few else each.sql for each in values])
        return (
            f"select '{type}' as type, {SEEN}, {picked} {found}"
            f" order by {own} limit {self.bind(limit, 'int8')}"
        )

    @property
    def _certain(self) -> frozenset[str]:
        """Parameters that whatever is found has a value for, because it was compared."""
        clauses = (each for each in self._asked.query.where if isinstance(each, Criterion))
        return frozenset(
            each.parameter.name for each in clauses if each.parameter.type == "date" and not each.modifier
        )


def place_of(row: Row, sorts: Sequence[Sort]) -> list[Any]:
    """Where a row stands in the order."""
    return [*(row[f"v{number}"] for number in range(len(sorts))), row["key"]]

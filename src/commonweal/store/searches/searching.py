"""Searches: a query becomes one statement; then its page is cut, counted and filled up with what it includes."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir import codec
from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Listed, Query
from commonweal.fhir.search.index import extract
from commonweal.platform.ports import Page, Stored
from commonweal.store import masking
from commonweal.store.codings import Codings
from commonweal.store.facts import CODE, Facts
from commonweal.store.reads import reading
from commonweal.store.reads.circumstances import Circumstances, Whom
from commonweal.store.reads.cursors import Cursors
from commonweal.store.reads.judging import Judge
from commonweal.store.reads.reading import used_types
from commonweal.store.reindexing.unfinished import Unfinished
from commonweal.store.searches.clusters import Clusters
from commonweal.store.searches.compiling import Lists, whom
from commonweal.store.searches.including import included
from commonweal.store.searches.ordering import by_columns
from commonweal.store.searches.selecting import Asked, Lenders, Row, Selecting, place_of
from commonweal.store.searches.sorting import sorted_rows
from commonweal.store.tokens import Tokens

PAGE = 50
"""Matches of one page when the search does not say how many."""
BATCH = 500
"""Rows of one statement while everything is streamed."""
TOGETHER = 100
"""Searches of one statement."""


class Searching:
    """Answers searches; shared by the store and its transactions, which lend their connections."""

    def __init__(
        self,
        tokens: Tokens,
        facts: Facts,
        judge: Judge,
        key: bytes,
        clusters: Clusters,
        codings: Codings,
        unfinished: Unfinished,
    ) -> None:
        self._facts = facts
        self._judge = judge
        self._tokens = tokens
        self._cursors = Cursors(key)
        self._clusters = clusters
        self._codings = codings
        self._unfinished = unfinished
        self._selecting = Selecting(tokens, facts, judge.reaches, clusters, codings)

    async def page(self, query: Query, reach: Reach, lenders: Lenders) -> Page:
        (asked,) = await self._asked([query], reach, lenders)
        if query.count == 0 or query.summary == "count":
            return Page([], total=await self._count(asked, lenders), incomplete=self._unfinished.of(query))
        size = PAGE if query.count is None else query.count
        place = self._cursors.read(_about(query), query.cursor) if query.cursor else None
        if by_columns(query.sort, map(self._facts.of, asked.types)):
            rows = await self._rows(asked, lenders, size + 1, place)
            ends = place_of(rows[size - 1], query.sort) if len(rows) > size else None
        else:
            rows, ends = await sorted_rows(
                self._all(asked, lenders), query.sort, self._facts.registry, size, place
            )
        shown = [reading.stored(row["type"], row) for row in rows[:size]]
        finder = _Finder(self, reach, lenders)
        joined = await included(query, self._facts.registry, finder, shown) if query.includes else ()
        return Page(
            [masking.shown(each, reach) for each in shown],
            [masking.shown(each, reach) for each in joined],
            self._cursors.write(_about(query), ends) if ends else None,
            await self._total(asked, lenders, len(shown) if ends is None and place is None else None),
            self._unfinished.of(query),
        )

    async def first(self, queries: Sequence[Query], reach: Reach, lenders: Lenders) -> list[Page]:
        """The first matches of each query, in order of key; some hundred queries are one statement."""
        found: list[list[Row]] = [[] for _ in queries]
        asked = [(n, each) for n, each in enumerate(await self._asked(queries, reach, lenders)) if each.types]
        for at in range(0, len(asked), TOGETHER):
            statement = self._selecting.several(asked[at : at + TOGETHER], PAGE)
            for row in await statement.fetch(lenders):
                found[row["number"]].append(row)
        pages = []
        for query, rows in zip(queries, found, strict=True):
            rows.sort(key=lambda row: int(row["key"]))
            shown = rows[: PAGE if query.count is None else query.count]
            matches = [masking.shown(reading.stored(row["type"], row), reach) for row in shown]
            pages.append(Page(matches, incomplete=self._unfinished.of(query)))
        return pages

    async def count(self, query: Query, reach: Reach, lenders: Lenders) -> int:
        (asked,) = await self._asked([query], reach, lenders)
        return await self._count(asked, lenders)

    async def scan(
        self, query: Query, reach: Reach, since: int | None, until: int | None, lenders: Lenders
    ) -> AsyncIterator[Stored]:
        (asked,) = await self._asked([query], reach, lenders)
        async for row in self._all(replace(asked, since=since, until=until), lenders):
            yield masking.shown(reading.stored(row["type"], row), reach)

    async def _all(self, asked: Asked, lenders: Lenders) -> AsyncIterator[Row]:
        """Every row in order of key, a batch at a time."""
        place = None
        while True:
            rows = await self._rows(asked, lenders, BATCH, place, plain=True)
            for row in rows:
                yield row
            if len(rows) < BATCH:
                return
            place = [rows[-1]["key"]]

    async def _rows(
        self, asked: Asked, lenders: Lenders, limit: int, place: Sequence[Any] | None, *, plain: bool = False
    ) -> Sequence[Row]:
        if not asked.types:
            return []
        sorts = () if plain else asked.query.sort
        return await self._selecting.rows(asked, sorts, limit, place).fetch(lenders)

    async def _count(self, asked: Asked, lenders: Lenders) -> int:
        if not asked.types:
            return 0
        return int((await self._selecting.count(asked).fetch(lenders))[0]["total"])

    async def _total(self, asked: Asked, lenders: Lenders, known: int | None) -> int | None:
        """Exactly or roughly as asked; what fits one page is counted already."""
        if asked.query.total == "none":
            return None
        if known is not None:
            return known
        if asked.query.total == "accurate" or not self._judge.reaches.of(asked.reach).everything:
            # What the database believes of a table is told by every row of it, seen or not.
            return await self._count(asked, lenders)
        statement = self._selecting.rows(asked, (), 2**31, None)
        explained = await replace(statement, text=f"explain (format json) {statement.text}").fetch(lenders)
        return int(json.loads(explained[0]["QUERY PLAN"])[0]["Plan"]["Plan Rows"])

    async def _asked(self, queries: Sequence[Query], reach: Reach, lenders: Lenders) -> list[Asked]:
        """The queries with all that must be known to write them; what others may have added is looked for once."""
        for query in queries:
            masking.refuse(query, reach, self._facts.registry)
        if self._clusters.is_due:
            await self._clusters.refresh(lenders.work())
        if self._unfinished.is_due:
            async with lenders.work() as connection:
                await self._unfinished.refresh(connection)
        asked = [
            Asked(
                query,
                reach,
                await self._types(query, reach, lenders),
                await self._items(query, reach, lenders),
                await self._known(query, reach, lenders),
            )
            for query in queries
        ]
        if any(self._needs_codings(each) for each in asked):
            async with lenders.work() as connection:
                await self._codings.refresh(connection)
        return asked

    async def _types(self, query: Query, reach: Reach, lenders: Lenders) -> Sequence[str]:
        if reach.is_nothing:
            return ()
        if query.type:
            return (query.type,)
        async with lenders.work() as connection:
            return await used_types(connection, query.types)

    async def _known(self, query: Query, reach: Reach, lenders: Lenders) -> Circumstances | None:
        """What holds about the patient whom a search names: asked once, rather than of each row."""
        if query.type is None or not self._judge.reaches.of(reach).asks_known:
            return None
        named = [self._tokens.self(each) for each in whom(self._facts.of(query.type), query)]
        if not named or not self._clusters.widened(named[:1]).issuperset(named):
            return None
        about: Whom = named[0], None
        return (await lenders.know([about]))[about]

    def _needs_codings(self, asked: Asked) -> bool:
        anchored = self._selecting.anchored(asked)
        return any(_says_what(c) for c in asked.query.where if not anchored or not isinstance(c, Criterion))

    async def _items(self, query: Query, reach: Reach, lenders: Lenders) -> Lists:
        """What the Lists hold that the query names; one out of reach holds nothing."""
        ids = sorted({each.list_id for clause in query.where for each in _lists(clause)})
        if not ids:
            return {}
        lists = await self.by_reference([("List", id) for id in ids], reach, lenders)
        return {each.id: _items_of(each, self._facts) for each in lists}

    async def by_reference(
        self, references: Sequence[tuple[str, str]], reach: Reach, lenders: Lenders
    ) -> list[Stored]:
        """Those of these resources that are there and in reach."""
        by_type: dict[str, list[str]] = {}
        for type, id in references:
            by_type.setdefault(type, []).append(id)
        seen = self._judge.reaches.of(reach)
        found: list[Stored] = []
        for type, ids in by_type.items():
            async with lenders.work() as connection:
                rows = await reading.current(connection, type, ids, known=seen.asks_known)
            there = (row for row in rows.values() if not row["deleted"] and self._judge.sees(seen, type, row))
            found += [reading.stored(type, row) for row in there]
        return found

    async def by_query(self, query: Query, reach: Reach, most: int, lenders: Lenders) -> list[Stored]:
        """As many matches, in order of key."""
        (asked,) = await self._asked([query], reach, lenders)
        rows = await self._rows(asked, lenders, most, None)
        return [reading.stored(row["type"], row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Finder:
    """What includes may ask, in the reach of the search they belong to."""

    searching: Searching
    reach: Reach
    lenders: Lenders

    async def by_reference(self, references: Sequence[tuple[str, str]]) -> Sequence[Stored]:
        return await self.searching.by_reference(references, self.reach, self.lenders)

    async def by_query(self, query: Query, most: int) -> Sequence[Stored]:
        return await self.searching.by_query(query, self.reach, most, self.lenders)


def _about(query: Query) -> str:
    """What a cursor belongs to: everything that decides which rows there are and in which order."""
    return repr((query.type, query.types, query.where, query.compartment, query.sort))


def _says_what(clause: Clause) -> bool:
    """Does it look, anywhere, for what a record is?"""
    if isinstance(clause, Criterion):
        return clause.parameter.name in CODE
    if isinstance(clause, Chain):
        return any(_says_what(where) for _, where in clause.branches)
    return isinstance(clause, Has) and _says_what(clause.where)


def _lists(clause: Clause) -> list[Listed]:
    if isinstance(clause, Listed):
        return [clause]
    if isinstance(clause, Chain):
        return [each for _, where in clause.branches for each in _lists(where)]
    return _lists(clause.where) if isinstance(clause, Has) else []


def _items_of(stored: Stored, facts: Facts) -> list[tuple[str, str]]:
    names = facts.of("List").parameters["item"].names
    references = extract(codec.parse(stored.body), facts.registry).references
    split = (target.partition("/") for name, target in references if name in names)
    return [(type, id) for type, _, id in split]

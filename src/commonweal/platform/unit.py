"""The unit of work: implements `Work` by walking the gates over a store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl

from commonweal.access.agent import SYSTEM, Agent
from commonweal.access.decision import Decision
from commonweal.access.reach import EVERYTHING, Reach
from commonweal.access.roles import RESIDENT
from commonweal.access.scope import covers
from commonweal.fhir import codec
from commonweal.fhir.outcome import Issue, Problem
from commonweal.fhir.search.query import Query
from commonweal.platform import gates, telling
from commonweal.platform.balance import Movement
from commonweal.platform.definitions import definition, understood
from commonweal.platform.journal import Asked, Entry
from commonweal.platform.parts import Parts, at_once
from commonweal.platform.ports import Audited, Page, Records, Scope, Stored, Transaction
from commonweal.platform.signal import Signal
from commonweal.platform.work import Draft
from commonweal.platform.writing import Writing

Json = dict[str, Any]
Result = TypeVar("Result")
IMPORT, JOURNAL = "record.import", "audit.read"
WRITES = frozenset({"create", "update", "delete"})
LARGE = 1_000_000
"""Bytes of a write from which checking and indexing it would keep others waiting."""


class Unit:
    """One unit of work. `single`: it does one thing, so a plain write needs no transaction of its own.

    Otherwise the first write, held search or reservation opens a transaction that is committed when the
    block is left cleanly. Reads are audited by rows of their own, which stay when the work is undone.
    """

    def __init__(self, parts: Parts, agent: Agent, id: str, single: bool) -> None:
        self.id = id
        self.agent = agent
        self._parts = parts
        self._catalogue = parts.catalogue
        self._store = parts.store
        self._single = single
        self._opening: AbstractAsyncContextManager[Transaction] | None = None
        self._transaction: Transaction | None = None
        self._within: tuple[str, ...] = ()
        self._beyond = False
        self._doing = ("work", "", "")
        self._is_told = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._opening is not None:
                opening, self._opening, self._transaction = self._opening, None, None
                await opening.__aexit__(kind, error, trace)
        except Exception as late:
            await self._failed(late)
            raise
        if isinstance(error, Exception):
            await self._failed(error)

    async def _failed(self, error: Exception) -> None:
        """A failure, or a refusal that no gate has told of: of a read that was forbidden, of a write whatever kept it
        from being made, but for others in the way."""
        problem = error if isinstance(error, Problem) else None
        status = problem.status if problem else 500
        refused = status == 403 or (self._doing[0] in WRITES and not (problem and problem.again))
        if not self._is_told and (status >= 500 or refused):
            await self._store.audit(Audited.by(self.agent, self.id, *self._doing, outcome=status))

    def now(self) -> datetime:
        return self._parts.clock()

    def may(self, permission: str) -> Decision:
        return self._catalogue.policy.has(self.agent, permission)

    def parameter(self, name: str, on: datetime, where: str | None = None) -> Any:
        return self._catalogue.parameter(name, on, where)

    async def read(self, type: str, id: str, version: int | None = None) -> Stored:
        await self._permitted(f"{type}.read", type, id)
        shipped = self._catalogue.shipped(type, id)
        if shipped is not None and version in (None, 1):
            return Stored(type, id, 1, 0, codec.encode(shipped))
        reach = self._reach("read")
        if version is None:
            found = (await self._records.get([(type, id)], reach))[0]
        else:
            found = await self._records.version(type, id, version, reach)
        await self._audit(
            "read" if version is None else "vread", type, [found] if found else [], f"{type}/{id}"
        )
        if found is None:
            raise Problem.not_found(type, id)
        if found.deleted:
            raise Problem.gone(type, id)
        return found

    async def read_all(self, references: Sequence[tuple[str, str]]) -> Sequence[Stored | None]:
        found: dict[tuple[str, str], Stored] = {}
        for type in sorted({type for type, _ in references}):
            await self._permitted(f"{type}.read", type)
            asked = [reference for reference in references if reference[0] == type]
            reach = self._reach("read")
            there = await self._records.get(asked, reach)
            found |= {(s.type, s.id): s for s in there if s is not None and not s.deleted}
        await self._audit("read-all", "", list(found.values()), "")
        return [found.get(reference) for reference in references]

    async def search(self, query: Query | str, *, hold: bool = False) -> Page:
        asked = await self._searchable(query)
        reach = self._reach("search")
        if hold:
            await (await self._open()).lock([telling.condition(asked)])
        page = await self._records.search(asked, reach)
        if hold:
            _check_complete(page)
        await self._audit("search", asked.type or "", [*page.matches, *page.included], telling.text(asked))
        return page

    async def search_all(self, queries: Sequence[Query | str], *, hold: bool = False) -> Sequence[Page]:
        asked = [await self._asked(query) for query in queries]
        by_type: dict[str, list[Query]] = {}
        for query in dict.fromkeys(asked):
            by_type.setdefault(query.type or "", []).append(query)
        for type in by_type:
            await self._permitted(f"{type or '*'}.search", type)
        if hold and asked:
            await (await self._open()).lock([telling.condition(query) for query in asked])
        pages: dict[Query, Page] = {}
        for type, group in by_type.items():
            reach = self._reach("search")
            found = await self._records.search_all(group, reach)
            for page in found if hold else ():
                _check_complete(page)
            pages |= zip(group, found, strict=True)
            seen = [stored for page in found for stored in page.matches]
            await self._audit("search", type, seen, " ".join(telling.text(query) for query in group))
        return [pages[query] for query in asked]

    async def count(self, query: Query | str) -> int:
        asked = await self._searchable(query)
        total = await self._records.count(asked, self._reach("search"))
        await self._audit("count", asked.type or "", [], telling.text(asked))
        return total

    async def definition(self, type: str, canonical: str) -> Json | None:
        return await definition(self, self._catalogue, type, canonical)

    async def history(self, scope: Scope) -> Page:
        type = scope.type or "*"
        await self._permitted(f"{type}.history", scope.type or "", scope.id or "")
        page = await self._records.history(scope, self._reach("history"))
        await self._audit("history", scope.type or "", page.matches, f"{type}/{scope.id or '*'}/_history")
        return page

    async def save(
        self, resource: Any, *, because: str = "", id: str | None = None, if_match: int | None = None
    ) -> Stored:
        method = "create" if id is None and _has_no_id(resource) else "update"
        draft = Draft(resource, "create" if method == "create" else "update", id=id, if_match=if_match)
        return (await self.save_all([draft], because=because))[0]

    async def save_all(
        self,
        drafts: Sequence[Draft],
        *,
        because: str = "",
        skip_same: bool = False,
        imported: bool = False,
    ) -> Sequence[Stored]:
        if imported:
            await self.require(IMPORT)
        aside = self._parts.aside if _size(drafts) > LARGE else at_once
        settled = partial(Writing, self._parts, self, drafts, skip_same=skip_same, imported=imported)
        writing: Writing = await aside(settled)
        for interaction, type in writing.interactions:
            await self._permitted(f"{type}.{interaction}", type)
        if writing.is_judged:
            await self._judge(writing)
        changes = await aside(writing.changes)
        people = {name: None for resource in writing.together for name in telling.mentioned(resource)}
        row = Audited.by(self.agent, self.id, writing.interaction, because=because, people=tuple(people))
        records = self._records if self._single else await self._open()
        stored = await records.write(changes, row, self._reach("write"))
        await writing.after(records, stored)
        return stored

    async def delete(self, type: str, id: str, *, because: str = "", if_match: int | None = None) -> Stored:
        draft = Draft(None, "delete", type, id, if_match)
        return (await self.save_all([draft], because=because))[0]

    async def judge(self, draft: Draft) -> Sequence[Issue]:
        try:
            writing = Writing(self._parts, self, [draft], skip_same=False, imported=False)
            for interaction, type in writing.interactions:
                await self._permitted(f"{type}.{interaction}", type)
            if writing.is_judged:
                await self._judge(writing)
        except Problem as problem:
            return problem.issues
        return ()

    async def _judge(self, writing: Writing) -> None:
        transaction = await self._open()
        facts = Asking(self._parts, self.id, transaction, writing.together)
        await writing.judge(transaction, facts, self._reach("write"))

    async def operation(self, name: str, parameters: Json) -> Json:
        operation = self._catalogue.operations.get(name)
        if operation is None:
            raise Problem.not_supported(f"there is no operation {name}")
        if name in self._within:
            raise Problem.not_supported(f"{name} asks itself: {' → '.join((*self._within, name))}")
        await self.require(operation.permission)
        outer = self._within, self._beyond
        self._within, self._beyond = (*self._within, name), operation.beyond
        try:
            return await operation.run(self, parameters)
        finally:
            self._within, self._beyond = outer

    async def journal(self, asked: Asked) -> Sequence[Entry]:
        journal = self._parts.journal
        if journal is None:
            raise Problem.not_supported("this installation has no journal to be asked")
        own = await self._own_journal(asked)
        if not own and not self._beyond:
            await self.require(JOURNAL)
        found = await journal.entries(asked)
        if asked.patient and (own or self._beyond):
            await self._audit(
                "journal", "AuditEvent", own, telling.asked_of_journal(asked), people=(asked.patient,)
            )
        else:
            seen = [hash for each in found for hash in each.hashes]
            await self._audit("journal", "AuditEvent", own, telling.asked_of_journal(asked), hashes=seen)
        return [each.about(asked.patient) for each in found] if own and asked.patient else found

    async def _own_journal(self, asked: Asked) -> list[Stored]:
        """The person it is about, where it is the agent itself or somebody it speaks for, and no app stands between
        that was not allowed to search AuditEvents."""
        allowed = self.agent.scopes is None or covers(self.agent.scopes, "AuditEvent.search")
        if not self.agent.has(RESIDENT) or asked.patient is None or not allowed:
            return []
        id = asked.patient.partition("/")[2]
        person = (await self._records.get([("Patient", id)], self._reach("read")))[0]
        return [person] if person else []

    async def reserve(self, movements: Sequence[Movement]) -> None:
        await (self._records if self._single else await self._open()).move(movements)

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        return await self._records.balances(accounts)

    async def signal(self, signal: Signal) -> None:
        await self._parts.signal(signal)

    async def compute(self, function: Callable[..., Result], *arguments: Any) -> Result:
        result: Result = await self._parts.compute(function, *arguments)
        return result

    async def _asked(self, query: Query | str) -> Query:
        """A parsed query; "Type?name=value" is read strictly, since it comes from our own code."""
        if isinstance(query, Query):
            return query
        type, _, text = query.partition("?")
        pairs = parse_qsl(text, keep_blank_values=True)
        return await understood(self, self._catalogue.registry, type or None, pairs, lenient=False)

    async def _searchable(self, query: Query | str) -> Query:
        """The query of a search that is permitted for every type it names; one that names none is for all."""
        asked = await self._asked(query)
        for type in (asked.type,) if asked.type else asked.types or ("*",):
            await self._permitted(f"{type}.search", type if type != "*" else "")
        return asked

    @property
    def _records(self) -> Records:
        return self._transaction or self._store

    async def _open(self) -> Transaction:
        if self._transaction is None:
            opening = self._store.transaction()
            self._transaction = await opening.__aenter__()
            self._opening = opening
        return self._transaction

    def _reach(self, interaction: str) -> Reach:
        """What this agent may see or write now; an operation declared so sees beyond its caller's reach."""
        return EVERYTHING if self._beyond else self._catalogue.policy.reach(self.agent, interaction)

    async def _permitted(self, interaction: str, type: str, id: str = "") -> None:
        """Gate 1; a refusal is audited before it is told. What an operation does beyond, it has been permitted as."""
        self._doing = (interaction.rpartition(".")[2], type, f"{type}/{id}" if id else type)
        if self._beyond:
            return
        try:
            gates.permitted(self._catalogue.policy, self.agent, interaction)
        except Problem:
            await self._refused(*self._doing)
            raise

    async def require(self, permission: str) -> None:
        decision = self.may(permission)
        if not decision:
            await self._refused(permission, "", "")
            raise Problem.forbidden(decision.reasons)

    async def _refused(self, interaction: str, type: str, asked: str) -> None:
        self._is_told = True
        await self._store.audit(Audited.by(self.agent, self.id, interaction, type, asked, outcome=403))

    async def _audit(
        self,
        interaction: str,
        type: str,
        seen: Sequence[Stored],
        query: str,
        *,
        hashes: Iterable[int] = (),
        people: Iterable[str] = (),
    ) -> None:
        """One row for what was read; it is durable before the answer leaves. `hashes` and `people` name whom it
        told of beside those that were seen."""
        patients = tuple(dict.fromkeys((*(s.patient for s in seen if s.patient is not None), *hashes)))
        several = (name for stored in seen if stored.patient is None for name in telling.several(stored))
        outcome = 200 if seen or interaction not in ("read", "vread") else 404
        entities = tuple(s.reference for s in seen) if interaction != "read" else ()
        row = Audited.by(
            self.agent,
            self.id,
            interaction,
            type,
            query,
            entities=entities,
            patients=patients,
            people=tuple(dict.fromkeys((*people, *several))),
            outcome=outcome,
        )
        await self._store.audit(row)


class Asking(Unit):
    """`Facts`: a unit of the platform itself within another's transaction, which stays its owner's to end."""

    def __init__(self, parts: Parts, id: str, transaction: Transaction, together: Sequence[Json]) -> None:
        super().__init__(parts, Agent("system:rules", frozenset({SYSTEM}), "HOPERAT"), id, single=False)
        self._transaction = transaction
        self.together = together

    async def read_all(self, references: Sequence[tuple[str, str]]) -> Sequence[Stored | None]:
        written = {(r["resourceType"], r["id"]): r for r in self.together}
        others = [reference for reference in references if reference not in written]
        found = dict(zip(others, await super().read_all(others) if others else (), strict=True))
        found |= {key: Stored(*key, 0, 0, codec.encode(resource)) for key, resource in written.items()}
        return [found[reference] for reference in references]


def _size(drafts: Sequence[Draft]) -> int:
    return sum(len(draft.resource) for draft in drafts if isinstance(draft.resource, bytes))


def _has_no_id(resource: Any) -> bool:
    if isinstance(resource, bytes):
        return "id" not in codec.parse(resource)
    return not (resource.get("id") if isinstance(resource, dict) else getattr(resource, "id", None))


def _check_complete(page: Page) -> None:
    """Problem 503 while the store cannot find everything: nothing is decided by what may be missing."""
    if page.incomplete:
        raise Problem.of("cw-indexing", name=" and ".join(page.incomplete))

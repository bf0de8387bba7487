"""A set of writes on its way through the gates, set-wise: one write is a set of one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir import codec
from commonweal.fhir.compartment import patient_of
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import extract
from commonweal.platform import gates
from commonweal.platform.parts import Parts
from commonweal.platform.ports import Change, Records, Stored, Timer, Transaction
from commonweal.platform.work import Draft, Facts, Work
from commonweal.platform.workflow import Deadline, Workflow

Json = dict[str, Any]
WARNING = "#warning"


class Writing:
    """Drafts with their checked JSON (gate 2 happens here), what the gates found, and the changes made of it."""

    def __init__(
        self, parts: Parts, work: Work, drafts: Sequence[Draft], *, skip_same: bool, imported: bool
    ) -> None:
        self._parts = parts
        self._catalogue = parts.catalogue
        self._work = work
        self._skip_same = skip_same
        self._drafts = [_blamed(number, self._settled, draft) for number, draft in enumerate(drafts)]
        self._topics: dict[int, tuple[str, ...]] = {}
        self._entered: list[tuple[int, Workflow, str | None, str]] = []
        judged = () if imported else (d.type for d in self._drafts)
        self.is_judged = any(self._catalogue.is_judged(type) for type in judged)
        self.interactions = tuple(dict.fromkeys((d.method, d.type) for d in self._drafts))
        self.interaction = self._drafts[0].method if len(self._drafts) == 1 else "transaction"

    @property
    def together(self) -> list[Json]:
        """All that is written, each with the id it will have."""
        return [draft.resource | {"id": draft.id} for draft in self._drafts if draft.resource]

    async def judge(self, transaction: Transaction, facts: Facts, reach: Reach) -> None:
        """Gates 3 and 4 for the kinds that have them, facts read under the patients' locks."""
        judged = [(n, d) for n, d in enumerate(self._drafts) if self._catalogue.is_judged(d.type)]
        bases = self._catalogue.registry.bases
        keys = {patient_of(d.resource, bases) if d.resource else None for _, d in judged}
        keys |= {f"{d.type}/{d.id}" for _, d in judged}
        await transaction.lock(sorted(key for key in keys if key))
        before = await transaction.get([(d.type, d.id or "") for _, d in judged], reach)
        for (number, draft), old in zip(judged, before, strict=True):
            if draft.method == "delete":
                continue
            try:
                await self._judge_one(number, draft, old, facts)
            except Problem as problem:
                problem.index = number
                raise

    async def _judge_one(self, number: int, draft: Draft, old: Stored | None, facts: Facts) -> None:
        resource: Json = draft.resource | {"id": draft.id}
        kind = self._catalogue.kind_of(resource)
        if kind is None:
            return
        workflow = self._catalogue.workflow(kind)
        if workflow is not None:
            previous = codec.parse(old.body) if old is not None and not old.deleted else None
            move = gates.moved(workflow, previous, resource, self._work.may)
            if move is not None:
                self._topics[number] = (move.topic,) if move.topic else ()
                self._entered.append((number, workflow, move.source, move.target))
        await gates.admitted(facts, self._catalogue.admits(kind), resource)

    def changes(self) -> list[Change]:
        """What the store is asked to write."""
        registry = self._catalogue.registry
        return [
            Change(
                draft.method,
                draft.type,
                draft.id or "",
                draft.resource or {},
                extract(draft.resource, registry) if draft.resource else None,
                draft.if_match,
                self._skip_same,
                self._topics.get(number, ()),
            )
            for number, draft in enumerate(self._drafts)
        ]

    async def after(self, records: Records, stored: Sequence[Stored]) -> None:
        """Start the deadlines of the states entered and stop those of the states left."""
        timers: list[Timer] = []
        cancel: list[str] = []
        for number, workflow, source, target in self._entered:
            reference = stored[number].reference
            for deadline in workflow.deadlines:
                if deadline.state == target:
                    timers += self._timers(deadline, reference)
                elif deadline.state == source:
                    cancel += [_key(deadline, reference), _key(deadline, reference) + WARNING]
        if timers or cancel:
            await records.schedule(timers, cancel)

    def _timers(self, deadline: Deadline, reference: str) -> Iterator[Timer]:
        """The deadline itself and, before it, its warning."""
        now = self._work.now()
        limit = timedelta(seconds=self._catalogue.parameter(deadline.limit, now))
        yield Timer(_key(deadline, reference), _micros(now + limit), deadline.breach, reference)
        if deadline.warning:
            due = _micros(now + limit * deadline.warn)
            yield Timer(_key(deadline, reference) + WARNING, due, deadline.warning, reference)

    def _settled(self, draft: Draft) -> Draft:
        """The draft with checked JSON, its type and its id; Problem 400 when they contradict each other."""
        if draft.method == "delete":
            return draft
        resource = gates.wellformed(draft.resource, draft.type or None)
        gates.fitting(self._catalogue, resource)
        type, own = resource["resourceType"], resource.get("id")
        if draft.method == "create":
            id = draft.id or self._parts.new_id()
        elif own is not None and draft.id in (None, own):
            id = own
        elif own is None and draft.id is not None:
            id = draft.id
        else:
            raise Problem.of("cw-id-mismatch", f"{type}.id")
        if self._catalogue.shipped(type, id) is not None:
            raise Problem.conflict(f"{type}/{id} is shipped by a service; it cannot be changed here")
        return Draft(resource, draft.method, type, id, draft.if_match)


def _key(deadline: Deadline, reference: str) -> str:
    return f"{reference}#{deadline.state}#{deadline.limit}"


def _micros(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000)


def _blamed(number: int, settle: Callable[[Draft], Draft], draft: Draft) -> Draft:
    try:
        return settle(draft)
    except Problem as problem:
        problem.index = number
        raise

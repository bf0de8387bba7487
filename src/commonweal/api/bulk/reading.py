"""Reads an export's steps page by page, through work: each page is permitted and audited as a search is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from commonweal.api.bulk.planning import PAGE, Members, Step, named, queries, steps
from commonweal.api.bulk.shelf import Order, Progress
from commonweal.api.subset import part
from commonweal.fhir import codec, compartment
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import parse as reference
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Scope, Stored
from commonweal.platform.work import Work

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lines:
    """What one page gives: lines of a file, and where the next page begins."""

    step: Step
    lines: Sequence[bytes]
    cursor: str | None


class Reading:
    """One export being read, from where it was left."""

    def __init__(self, platform: Platform, order: Order, progress: Progress) -> None:
        self._platform = platform
        self._order = order
        self._registry = platform.catalogue.registry
        self._agent = order.asker
        self._members = Members(order, self._registry.bases)
        self._left = islice(steps(order), progress.step, None)
        self._step = next(self._left, None)

    async def page(self, cursor: str | None) -> Lines | None:
        """The next page of the step; None when all steps are done."""
        step = self._step
        if step is None:
            return None
        async with self._platform.work(self._agent, self._order.id) as work:
            lines = await (self._deleted if step.deleted else self._found)(work, step, cursor)
        if lines.cursor is None:
            self._step = next(self._left, None)
        return lines

    async def _found(self, work: Work, step: Step, cursor: str | None) -> Lines:
        *earlier, query = queries(step, self._order, self._registry)
        page = await work.search(replace(query, cursor=cursor))
        kept: Sequence[Stored] = page.matches
        for each in earlier:
            if kept:
                among = named([stored.id for stored in kept], each, self._registry)
                known = {stored.id for stored in (await work.search(among)).matches}
                kept = [stored for stored in kept if stored.id not in known]
        lines = [await self._line(work, step, stored) for stored in kept]
        return Lines(step, [line for line in lines if line], page.next)

    async def _line(self, work: Work, step: Step, found: Stored) -> bytes:
        """A resource as it was at the time of the export; empty when it was not, or is not asked for."""
        stored = await self._as_it_was(work, found)
        if stored is None or not await self._is_wanted(work, step, stored):
            return b""
        names = self._elements(step.type)
        return part(stored.body, None, names) if names else stored.body

    async def _as_it_was(self, work: Work, stored: Stored) -> Stored | None:
        """What is newer than the export's time is not told by it: the version before that is."""
        order = self._order
        while stored.updated > order.at:
            try:
                stored = await work.read(stored.type, stored.id, stored.version - 1)
            except Problem as problem:
                if problem.status not in (404, 410):
                    raise
                return None
        return stored if order.since is None or stored.updated > order.since else None

    async def _is_wanted(self, work: Work, step: Step, stored: Stored) -> bool:
        if self._order.level == "system":
            return True
        if self._order.members is not None:
            return self._members.takes(step, codec.parse(stored.body))
        return self._belongs(stored) or await self._is_about_belonging(work, stored)

    def _belongs(self, stored: Stored) -> bool:
        """Is it in the compartment of any patient?"""
        if stored.type == "Patient" or stored.patient is not None:
            return True
        return bool(compartment.patients_of(codec.parse(stored.body), self._registry.bases))

    async def _is_about_belonging(self, work: Work, stored: Stored) -> bool:
        """A Provenance is given with what it is about: the guide asks for more than the compartment has."""
        if stored.type != "Provenance":
            return False
        targets = [each.get("reference", "") for each in codec.parse(stored.body).get("target", ())]
        named = (reference(each, self._registry.bases) for each in targets)
        local = [(each.type, each.id) for each in named if each.type and each.id]
        for at in range(0, len(local), PAGE):
            there = await work.read_all(local[at : at + PAGE])
            if any(each is not None and self._belongs(each) for each in there):
                return True
        return False

    def _elements(self, type: str) -> list[str]:
        """The names asked for in resources of a type."""
        split = (each.rpartition(".") for each in self._order.elements)
        return [name for owner, _, name in split if owner in ("", type)]

    async def _deleted(self, work: Work, step: Step, cursor: str | None) -> Lines:
        """Bundles that delete what has been deleted: STU2 export.html#response---complete-status."""
        order = self._order
        if order.since is None or not self._platform.catalogue.policy.may(
            self._agent, f"{step.type}.history"
        ):
            return Lines(step, (), None)
        page = await work.history(Scope(step.type, None, order.since + 1, order.at, PAGE, cursor))
        gone = {stored.id: stored for stored in reversed(page.matches) if stored.deleted}
        there = await work.read_all([(step.type, id) for id in gone]) if gone else ()
        ended = [stored for stored, now in zip(gone.values(), there, strict=True) if now is None]
        told = [stored for stored in ended if await self._was_wanted(work, stored)]
        entries = [{"request": {"method": "DELETE", "url": stored.reference}} for stored in told]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        return Lines(step, [codec.encode(bundle)] if entries else (), page.next)

    async def _was_wanted(self, work: Work, gone: Stored) -> bool:
        """Was what has been deleted in a compartment that is exported? Its last version says so."""
        if self._order.level == "system":
            return True
        try:
            last = await work.read(gone.type, gone.id, gone.version - 1)
        except Problem as problem:
            if problem.status not in (404, 410):
                raise
            return False
        if self._order.members is not None:
            return self._members.knows(codec.parse(last.body))
        return self._belongs(last)

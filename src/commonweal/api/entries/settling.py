"""What each entry of a transaction means to write, found out before anything is written.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from commonweal.api import conditional, patching
from commonweal.api.entries.envelope import Step
from commonweal.api.instance import checked_id, if_match, update_of
from commonweal.api.searching import condition
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Stored
from commonweal.platform.work import Draft, Work


@dataclass(frozen=True, slots=True)
class Settled:
    """An entry whose target is known: what to write, or (draft None) what is there and stays as it is."""

    step: Step
    draft: Draft | None
    there: Stored | None = None

    @property
    def target(self) -> str:
        """ "Type/id" of what this entry stands for; "" when it deletes nothing."""
        which = self.draft or self.there
        return f"{which.type}/{which.id}" if which else ""


async def _create(step: Step, work: Work) -> Settled:
    inner, type = step.request, step.request.segments[0]
    text = inner.headers.get(b"if-none-exist")
    if text is not None:
        there = await conditional.match(
            work, await condition(inner, work, type, conditional.criteria(inner, text))
        )
        if there is not None:
            return Settled(step, None, there)
    return Settled(step, Draft(inner.body, "create", type, inner.site.platform.new_id()))


async def _update(step: Step, work: Work) -> Settled:
    inner = step.request
    type, id = inner.segments
    return Settled(step, update_of(type, id, inner.body, if_match(inner.header(b"if-match"))))


async def _update_match(step: Step, work: Work) -> Settled:
    inner, there = step.request, await _match(step, work)
    draft = conditional.draft_of(inner.segments[0], inner.body, there, if_match(inner.header(b"if-match")))
    return Settled(step, replace(draft, id=draft.id or inner.site.platform.new_id()))


async def _patch(step: Step, work: Work) -> Settled:
    type, id = step.request.segments
    return Settled(step, patching.draft_of(step.request, await work.read(type, checked_id(type, id))))


async def _patch_match(step: Step, work: Work) -> Settled:
    there = await _match(step, work)
    if there is None:
        raise Problem.not_found(step.request.segments[0], "that matches")
    return Settled(step, patching.draft_of(step.request, there))


async def _delete(step: Step, work: Work) -> Settled:
    type, id = step.request.segments
    version = if_match(step.request.header(b"if-match"))
    return Settled(step, Draft(None, "delete", type, checked_id(type, id), version))


async def _delete_match(step: Step, work: Work) -> Settled:
    there = await _match(step, work)
    return Settled(step, Draft(None, "delete", there.type, there.id) if there else None)


async def _match(step: Step, work: Work) -> Stored | None:
    inner = step.request
    return await conditional.match(work, await condition(inner, work, inner.segments[0], inner.asked))


SETTLE: dict[str, Callable[[Step, Work], Awaitable[Settled]]] = {
    "create": _create,
    "update": _update,
    "conditional update": _update_match,
    "patch": _patch,
    "conditional patch": _patch_match,
    "delete": _delete,
    "conditional delete": _delete_match,
}
"""Route name → how to find out what an entry writes."""

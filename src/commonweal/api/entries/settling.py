"""What each entry of a transaction means to write, found out before anything is written.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from commonweal.api.entries.envelope import Step, blaming
from commonweal.api.request import Pairs
from commonweal.api.rest import conditional, patching
from commonweal.api.rest.instance import checked_id, if_match, update_of
from commonweal.api.rest.searching import condition
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.query import Query
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


async def conditions(steps: Sequence[tuple[Step, str]], work: Work) -> dict[int, Stored | None]:
    """By the index of each entry that has a condition: its only match. All are held, and looked up together."""
    queries: dict[int, Query] = {}
    for step, name in steps:
        with blaming(step.index):
            pairs = _criteria(step, name)
            if pairs is not None:
                queries[step.index] = await condition(step.request, work, step.request.segments[0], pairs)
    pages = await work.search_all(list(queries.values()), hold=True)
    found: dict[int, Stored | None] = {}
    for (index, query), page in zip(queries.items(), pages, strict=True):
        with blaming(index):
            found[index] = conditional.only(query, page)
    return found


def _criteria(step: Step, name: str) -> Pairs | None:
    """The parameters of an entry's condition, None where it has none."""
    text = step.request.headers.get(b"if-none-exist") if name == "create" else None
    if text is not None:
        return conditional.criteria(step.request, text)
    return step.request.asked if name.startswith("conditional ") else None


async def _create(step: Step, work: Work, there: Stored | None) -> Settled:
    if there is not None:
        return Settled(step, None, there)
    inner = step.request
    return Settled(step, Draft(inner.body, "create", inner.segments[0], inner.site.platform.new_id()))


async def _update(step: Step, work: Work, there: Stored | None) -> Settled:
    inner = step.request
    type, id = inner.segments
    return Settled(step, update_of(type, id, inner.body, if_match(inner.header(b"if-match"))))


async def _update_match(step: Step, work: Work, there: Stored | None) -> Settled:
    inner = step.request
    draft = conditional.draft_of(inner.segments[0], inner.body, there, if_match(inner.header(b"if-match")))
    return Settled(step, replace(draft, id=draft.id or inner.site.platform.new_id()))


async def _patch(step: Step, work: Work, there: Stored | None) -> Settled:
    type, id = step.request.segments
    return Settled(step, patching.draft_of(step.request, await work.read(type, checked_id(type, id))))


async def _patch_match(step: Step, work: Work, there: Stored | None) -> Settled:
    if there is None:
        raise Problem.not_found(step.request.segments[0], "that matches")
    return Settled(step, patching.draft_of(step.request, there))


async def _delete(step: Step, work: Work, there: Stored | None) -> Settled:
    type, id = step.request.segments
    version = if_match(step.request.header(b"if-match"))
    return Settled(step, Draft(None, "delete", type, checked_id(type, id), version))


async def _delete_match(step: Step, work: Work, there: Stored | None) -> Settled:
    return Settled(step, Draft(None, "delete", there.type, there.id) if there else None)


SETTLE: dict[str, Callable[[Step, Work, Stored | None], Awaitable[Settled]]] = {
    "create": _create,
    "update": _update,
    "conditional update": _update_match,
    "patch": _patch,
    "conditional patch": _patch_match,
    "delete": _delete,
    "conditional delete": _delete_match,
}
"""Route name → how to find out what an entry writes; it is given the match of its condition."""

"""A transaction: all entries or none, written as one set. https://hl7.org/fhir/R4/http.html#trules"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from commonweal.api import bundles, conditional, patching
from commonweal.api.answer import Answer, of
from commonweal.api.entries.batch import entry_of
from commonweal.api.entries.envelope import Step, blamed
from commonweal.api.entries.references import Targets, conditions_in
from commonweal.api.instance import checked_id, if_match, update_of
from commonweal.api.request import Request, parameters
from commonweal.api.searching import condition
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Stored
from commonweal.platform.work import Draft, Work

ORDER = {"delete": 0, "create": 1, "update": 2}


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


async def transaction(request: Request, steps: Sequence[Step], work: Work) -> Answer:
    """Look up what is conditional, name what is new, put the references right, write all, then read."""
    named = [(step, _interaction(step)) for step in steps]
    settled = [await _settle(step, SETTLE[name], work) for step, name in named if name in SETTLE]
    targets = await _targets(request, settled, work)
    writes = [_rewritten(each, targets) for each in settled]
    entries = await _written(request, writes, work)
    for step, name in named:
        if name not in SETTLE:
            entries[step.index] = entry_of(await _read(step, work))
    return Answer(200, bundles.bundle("transaction-response", (entries[step.index] for step in steps)))


async def _create(step: Step, work: Work) -> Settled:
    inner, type = step.request, step.request.segments[0]
    text = inner.headers.get(b"if-none-exist")
    if text is not None:
        there = await conditional.match(work, condition(inner, type, conditional.criteria(inner, text)))
        if there is not None:
            return Settled(step, None, there)
    return Settled(step, Draft(inner.body, "create", type, inner.site.platform.new_id()))


async def _update(step: Step, work: Work) -> Settled:
    inner = step.request
    type, id = inner.segments
    return Settled(step, update_of(type, id, inner.body, if_match(inner.header(b"if-match"))))


async def _update_match(step: Step, work: Work) -> Settled:
    inner = step.request
    there = await conditional.match(work, condition(inner, inner.segments[0], inner.asked))
    draft = conditional.draft_of(inner.segments[0], inner.body, there, if_match(inner.header(b"if-match")))
    return Settled(step, replace(draft, id=draft.id or inner.site.platform.new_id()))


async def _patch(step: Step, work: Work) -> Settled:
    type, id = step.request.segments
    return Settled(step, patching.draft_of(step.request, await work.read(type, checked_id(type, id))))


async def _patch_match(step: Step, work: Work) -> Settled:
    inner = step.request
    there = await conditional.match(work, condition(inner, inner.segments[0], inner.asked))
    if there is None:
        raise Problem.not_found(inner.segments[0], "that matches")
    return Settled(step, patching.draft_of(inner, there))


async def _delete(step: Step, work: Work) -> Settled:
    type, id = step.request.segments
    version = if_match(step.request.header(b"if-match"))
    return Settled(step, Draft(None, "delete", type, checked_id(type, id), version))


async def _delete_match(step: Step, work: Work) -> Settled:
    inner = step.request
    there = await conditional.match(work, condition(inner, inner.segments[0], inner.asked))
    return Settled(step, Draft(None, "delete", there.type, there.id) if there else None)


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


async def _settle(step: Step, settle: Callable[[Step, Work], Awaitable[Settled]], work: Work) -> Settled:
    try:
        return await settle(step, work)
    except Problem as problem:
        raise blamed(problem, step.index) from problem


async def _read(step: Step, work: Work) -> Answer:
    try:
        return await step.request.site.perform(step.request, work)
    except Problem as problem:
        raise blamed(problem, step.index) from problem


def _interaction(step: Step) -> str:
    """The name of what an entry asks; Problem for what cannot be done together with others."""
    inner = step.request
    try:
        name = inner.site.routes.find(inner.method, inner.segments).name
        if name not in SETTLE and inner.method not in ("GET", "HEAD"):
            raise Problem.not_supported(f"{name} inside a transaction")
    except Problem as problem:
        raise blamed(problem, step.index) from problem
    return name


async def _targets(request: Request, settled: Sequence[Settled], work: Work) -> Targets:
    """What every fullUrl and conditional reference stands for; Problem when one is there twice."""
    names: dict[str, str] = {}
    written: set[str] = set()
    for each in settled:
        index = each.step.index
        if each.draft is not None:
            _once(written, each.target, index, f"{each.target} is written by more than one entry")
        url = each.step.full_url
        if url and each.step.request.method != "DELETE":
            _once(names, url, index, f"the fullUrl {url[:200]} stands on more than one entry")
            names[url] = each.target
    for text in conditions_in(each.step.request.body for each in settled):
        names[text] = await _referred(request, text, work)
    return Targets(names)


def _once(seen: set[str] | dict[str, str], name: str, index: int, why: str) -> None:
    if name in seen:
        raise blamed(Problem.invalid(why), index)
    if isinstance(seen, set):
        seen.add(name)


async def _referred(request: Request, text: str, work: Work) -> str:
    """The one resource that a conditional reference means; Problem 412 for none or several."""
    type, _, query = text.partition("?")
    if type not in RESOURCE_TYPES:
        raise Problem.of("cw-unknown-type", type=type[:64])
    pairs = parameters(query.encode("ascii", "xmlcharrefreplace"), request.site.limits)
    found = (await work.search(condition(request, type, pairs))).matches
    if len(found) != 1:
        many = "more than one resource matches" if found else "nothing matches"
        raise Problem.precondition_failed(f"The conditional reference {text[:200]} leads nowhere: {many}.")
    return found[0].reference


def _rewritten(each: Settled, targets: Targets) -> Settled:
    if each.draft is None or not isinstance(each.draft.resource, bytes):
        return each
    try:
        body = targets.put_into(each.draft.resource, each.step.full_url)
    except Problem as problem:
        raise blamed(problem, each.step.index) from problem
    return replace(each, draft=replace(each.draft, resource=body))


async def _written(request: Request, settled: Sequence[Settled], work: Work) -> dict[int, bytes]:
    """Response entries by index of what was written in FHIR's order: deletions, creates, updates."""
    writes = [(each.step.index, each.draft) for each in settled if each.draft is not None]
    writes.sort(key=lambda write: ORDER[write[1].method])
    try:
        stored = await work.save_all([draft for _, draft in writes]) if writes else ()
    except Problem as problem:
        if problem.index is None:
            raise
        raise blamed(problem, writes[problem.index][0]) from problem
    entries = {each.step.index: _response(request, each.there, 200) for each in settled if each.draft is None}
    for (index, _), version in zip(writes, stored, strict=True):
        entries[index] = _response(request, version, _status(version))
    return entries


def _status(stored: Stored) -> int:
    return 204 if stored.deleted else 201 if stored.method == "create" else 200


def _response(request: Request, stored: Stored | None, status: int) -> bytes:
    """What became of one entry; the resource itself only where it is asked for."""
    if stored is None or stored.deleted:
        return bundles.answered(bundles.response(204))
    answer = of(stored, status)
    location = f"{stored.reference}/_history/{stored.version}"
    said = bundles.response(status, location=location, etag=answer.etag, modified=stored.updated)
    whole = request.preference.returns == "representation"
    return bundles.answered(said, stored.body if whole else b"", f"{request.base}/{stored.reference}")

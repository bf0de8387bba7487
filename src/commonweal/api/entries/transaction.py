"""A transaction: all entries or none, written as one set. https://hl7.org/fhir/R4/http.html#trules"""

from collections.abc import Sequence
from dataclasses import replace

from commonweal.api import bundles
from commonweal.api.answer import Answer, of
from commonweal.api.entries.batch import Room, entry_of
from commonweal.api.entries.envelope import Step, blaming
from commonweal.api.entries.references import Targets, conditions_in
from commonweal.api.entries.settling import SETTLE, Settled, conditions
from commonweal.api.request import Request, parameters
from commonweal.api.rest.searching import condition
from commonweal.api.route import find
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.query import Query
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work

ORDER = {"delete": 0, "create": 1, "update": 2}


async def transaction(request: Request, steps: Sequence[Step], work: Work) -> Answer:
    """Look up what is conditional, name what is new, put the references right, write all, then read."""
    named = [(step, _interaction(step)) for step in steps]
    writes = [(step, name) for step, name in named if name in SETTLE]
    there = await conditions(writes, work)
    settled = [await _settled(step, name, work, there.get(step.index)) for step, name in writes]
    targets = await _targets(request, settled, work)
    entries = await _written(request, [_rewritten(each, targets) for each in settled], work)
    room = Room(request.site.limits.answer_bytes)
    for step, name in named:
        if name not in SETTLE:
            with blaming(step.index):
                entries[step.index] = entry_of(await room.perform(step, work))
    return Answer(200, bundles.bundle("transaction-response", (entries[step.index] for step in steps)))


def _interaction(step: Step) -> str:
    """The name of what an entry asks; Problem for what cannot be done together with others."""
    inner = step.request
    with blaming(step.index):
        name = find(inner.method, inner.segments).name
        if name not in SETTLE and inner.method not in ("GET", "HEAD"):
            raise Problem.not_supported(f"{name} inside a transaction")
    return name


async def _settled(step: Step, name: str, work: Work, there: Stored | None) -> Settled:
    with blaming(step.index):
        return await SETTLE[name](step, work, there)


async def _targets(request: Request, settled: Sequence[Settled], work: Work) -> Targets:
    """What every fullUrl and conditional reference stands for; Problem when one is there twice."""
    names: dict[str, str] = {}
    written: set[str] = set()
    for each in settled:
        url, target = each.step.full_url, each.target
        with blaming(each.step.index):
            if each.draft is not None and target in written:
                raise Problem.invalid(f"{target} is written by more than one entry")
            if url in names:
                raise Problem.invalid(f"the fullUrl {url[:200]} stands on more than one entry")
        if each.draft is not None:
            written.add(target)
        if url and target and each.step.request.method != "DELETE":
            names[url] = target
    return Targets(names | await _referred(request, settled, work))


async def _referred(request: Request, settled: Sequence[Settled], work: Work) -> dict[str, str]:
    """The one resource that each conditional reference means; Problem 412 for none or several."""
    places: dict[str, int] = {}
    queries: dict[str, Query] = {}
    for each in settled:
        with blaming(each.step.index):
            for text in conditions_in(each.step.request.body):
                if text not in places:
                    places[text], queries[text] = each.step.index, await _query(request, text, work)
    pages = await work.search_all(list(queries.values()))
    names: dict[str, str] = {}
    for text, page in zip(queries, pages, strict=True):
        with blaming(places[text]):
            names[text] = _only(text, page.matches)
    return names


async def _query(request: Request, text: str, work: Work) -> Query:
    type, _, query = text.partition("?")
    if type not in RESOURCE_TYPES:
        raise Problem.of("cw-unknown-type", type=type[:64])
    return await condition(request, work, type, parameters(query.encode(), request.site.limits))


def _only(text: str, found: Sequence[Stored]) -> str:
    if len(found) != 1:
        many = "more than one resource matches" if found else "nothing matches"
        raise Problem.precondition_failed(f"The conditional reference {text[:200]} leads nowhere: {many}.")
    return found[0].reference


def _rewritten(each: Settled, targets: Targets) -> Settled:
    if each.draft is None or not isinstance(each.draft.resource, bytes):
        return each
    with blaming(each.step.index):
        body = targets.put_into(each.draft.resource, each.step.full_url)
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
        with blaming(writes[problem.index][0]):
            raise
    entries = {each.step.index: _response(request, each.there, 200) for each in settled if each.draft is None}
    for (index, _), version in zip(writes, stored, strict=True):
        entries[index] = _response(request, version, 201 if version.method == "create" else 200)
    return entries


def _response(request: Request, stored: Stored | None, status: int) -> bytes:
    """What became of one entry; the resource itself only where it is asked for."""
    if stored is None or stored.deleted:
        return bundles.answered(bundles.response(204))
    answer = of(stored, status)
    location = f"{stored.reference}/_history/{stored.version}"
    said = bundles.response(status, location=location, etag=answer.etag, modified=stored.updated)
    whole = request.preference.returns == "representation"
    return bundles.answered(said, stored.body if whole else b"", f"{request.base}/{stored.reference}")

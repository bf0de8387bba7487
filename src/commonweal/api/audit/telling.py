"""AuditEvent and Provenance by REST: https://hl7.org/fhir/R4/http.html.

An AuditEvent is told from the sealed rows of the platform and is nothing else: nobody writes one, because what a
client made up would stand beside them and look the same. Provenance is both: what clients write is kept as any other
resource; what the platform itself knows of a write is told before it, to those who may ask the journal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from commonweal.access.roles import RESIDENT
from commonweal.api import bundles
from commonweal.api.answer import Answer, of
from commonweal.api.audit.asking import AUDIT_EVENT, PROVENANCE, asked, onwards
from commonweal.api.audit.event import Json, audit_event, provenance
from commonweal.api.request import Handler, Request
from commonweal.api.rest import instance, searching
from commonweal.api.rest.searching import address
from commonweal.api.subset import narrowed
from commonweal.fhir import codec
from commonweal.fhir.outcome import Issue, Problem, issue, outcome
from commonweal.platform.definitions import understood
from commonweal.platform.gates.fitting import TOLD
from commonweal.platform.journal import KEY, Asked, Entry
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work

JOURNAL = "audit.read"


async def read_event(request: Request, work: Work) -> Answer:
    """GET [base]/AuditEvent/id, and its one version."""
    type, id, *version = request.segments
    found = await _one(work, id) if version in ([], ["_history", "1"]) else None
    if found is None:
        raise Problem.not_found(type, id[:64])
    return narrowed(request, of(_stored(audit_event(found), found)))


async def search_events(request: Request, work: Work) -> Answer:
    """GET [base]/AuditEvent?…, POST [base]/AuditEvent/_search, GET [base]/Patient/id/AuditEvent?…"""
    question = asked(request, AUDIT_EVENT)
    if len(request.segments) > 2:
        question = _within(request, question)
    question = _own(work, question)
    found = await work.journal(question)
    following = found[-1].cursor if len(found) == question.limit else None
    return _bundle(request, found, audit_event, following)


async def refuse(request: Request, work: Work) -> Answer:
    """Whatever would change an AuditEvent, or ask for versions that none has."""
    if request.method == "GET":
        raise Problem.not_supported("an AuditEvent has one version; its history is itself")
    refused = issue("cw-method-not-allowed", method=request.method)
    raise Problem(405, (refused, issue("cw-business-rule", why=TOLD["AuditEvent"])))


async def read_provenance(request: Request, work: Work) -> Answer:
    """GET [base]/Provenance/id: one that the platform tells, else one that was written."""
    id = request.segments[1]
    found = await _one(work, id, writes=True) if KEY.fullmatch(id) else None
    made = provenance(found) if found else None
    if found is None or made is None:
        return await instance.read(request, work)
    return narrowed(request, of(_stored(made, found)))


async def search_provenances(request: Request, work: Work) -> Answer:
    """GET [base]/Provenance?…: what the platform tells, page by page, then what was written."""
    cursor = request.value("_cursor") or ""
    is_ours = cursor.startswith(OURS)
    if not work.may(JOURNAL) or (cursor and not is_ours):
        return await searching.of_type(request, work)
    if cursor == OURS:
        return await _written(request, work)
    try:
        question = asked(request, PROVENANCE)
    except Problem as problem:
        return await _written(request, work, problem)
    if is_ours:
        question = replace(question, cursor=cursor.removeprefix(OURS))
    found = await work.journal(replace(question, writes=True))
    more = len(found) == question.limit
    following = OURS + found[-1].cursor if more else OURS if _may_search(request, work) else None
    if not found and following:
        return await _written(request, work)
    return _bundle(request, found, provenance, following)


async def _written(request: Request, work: Work, kept_out: Problem | None = None) -> Answer:
    """What clients wrote; with a remark where the platform's own could not be asked the same."""
    pairs = [(name, value) for name, value in request.asked if name != "_cursor"]
    registry, lenient = request.site.catalogue.registry, not request.preference.strict
    understanding = await understood(work, registry, "Provenance", pairs, lenient=lenient)
    query = searching.limited(request, understanding)
    body = searching.searchset(request, "Provenance", query, await work.search(query))
    if kept_out is not None:
        bundle = codec.parse(body)
        said = outcome([_remark(each) for each in kept_out.issues])
        bundle.setdefault("entry", []).append({"resource": said, "search": {"mode": "outcome"}})
        body = codec.encode(bundle)
    return Answer(200, body)


def _remark(each: Issue) -> Issue:
    """A remark beside an answer instead of an error."""
    sentence = f"What the platform recorded itself is not among these: {each.diagnostics}"
    return msgspec.structs.replace(each, severity="information", diagnostics=sentence)


def _may_search(request: Request, work: Work) -> bool:
    return bool(request.site.catalogue.policy.may(work.agent, "Provenance.search"))


async def _one(work: Work, id: str, writes: bool = False) -> Entry | None:
    """The entry of an id, where there is one that the agent may be told."""
    if not KEY.fullmatch(id):
        return None
    found = await work.journal(_own(work, Asked(key=id, writes=writes)))
    return found[0] if found else None


def _own(work: Work, question: Asked) -> Asked:
    """A resident asks about themself, unless they say about whom."""
    agent = work.agent
    if question.patient is None and agent.has(RESIDENT) and agent.id.startswith("Patient/"):
        return replace(question, patient=agent.id)
    return question


def _within(request: Request, question: Asked) -> Asked:
    """A compartment: https://hl7.org/fhir/R4/compartmentdefinition-patient.html."""
    owner, id = request.segments[:2]
    place = f"{owner}/{id}"
    if owner != "Patient" or question.patient not in (None, place):
        raise Problem.not_supported(f"AuditEvents cannot be asked for in {place[:80]}")
    return replace(question, patient=place)


def _stored(resource: Json, entry: Entry) -> Stored:
    return Stored(resource["resourceType"], entry.key, 1, entry.at, codec.encode(resource))


def _bundle(
    request: Request, found: Sequence[Entry], told: Callable[[Entry], Json | None], following: str | None
) -> Answer:
    """One page, newest first."""
    bodies = [_stored(resource, each) for each in found if (resource := told(each)) is not None]
    entries = [bundles.found(request.base, each, each.body) for each in bodies]
    path = "/".join(each for each in request.segments if each != "_search")
    links = [("self", address(request.base, path, request.asked))]
    if following is not None:
        links.append(("next", address(request.base, path, onwards(request.asked, following))))
    return Answer(200, bundles.bundle("searchset", entries, links))


OURS = "journal."
"""Begins the cursor of a page that the journal answers."""
EVENTS: Mapping[str, Handler] = {
    "read": read_event,
    "vread": read_event,
    "search-type": search_events,
    "search-type by form": search_events,
    "search-compartment": search_events,
    "search-compartment by form": search_events,
}
"""Of AuditEvent; everything else is refused, but what is asked about one that is shown (operations)."""
PROVENANCES: Mapping[str, Handler] = {
    "read": read_provenance,
    "search-type": search_provenances,
    "search-type by form": search_provenances,
}
"""Of Provenance; everything else is done as for any type."""


def handler(name: str, request: Request) -> Handler | None:
    """What does a route, where its address names a type that is told from the journal; None elsewhere."""
    if request.segments[:1] == ("Provenance",):
        return PROVENANCES.get(name)
    if is_told(request.segments) and "operation" not in name:
        return EVENTS.get(name, refuse)
    if name.startswith("search-system") and "AuditEvent" in (request.value("_type") or "").split(","):
        raise Problem.not_supported("AuditEvents are asked for by themselves, at AuditEvent")
    return None


def is_told(segments: Sequence[str]) -> bool:
    """Does an address name AuditEvents, which are only read?"""
    return "AuditEvent" in (*segments[:1], *segments[2:3])

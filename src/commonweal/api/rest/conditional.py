"""Writes on condition of a search: https://hl7.org/fhir/R4/http.html#ccreate, #cond-update and #cdelete."""

from dataclasses import replace

from commonweal.api.answer import Answer
from commonweal.api.negotiate import check_media
from commonweal.api.request import Pairs, Request, parameters
from commonweal.api.rest.instance import deleted, head_of, if_match, saved
from commonweal.api.rest.patching import patched
from commonweal.api.rest.searching import condition
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.query import Query
from commonweal.platform.ports import Page, Stored
from commonweal.platform.work import Draft, Work


async def create(request: Request, work: Work) -> Answer:
    """POST [base]/Type; with If-None-Exist it is made only where nothing matches, else the match is told."""
    check_media(request.headers.get(b"content-type", b""))
    type = request.segments[0]
    only_if_none = request.headers.get(b"if-none-exist")
    if only_if_none is not None:
        there = await match(work, await condition(request, work, type, criteria(request, only_if_none)))
        if there is not None:
            return saved(request, replace(there, method="update"))
    return saved(request, (await work.save_all([Draft(request.body, "create", type)]))[0])


async def update(request: Request, work: Work) -> Answer:
    """PUT [base]/Type?…: the one match becomes the next version; without a match it is created."""
    check_media(request.headers.get(b"content-type", b""))
    there = await match(work, await _condition(request, work))
    draft = draft_of(request.segments[0], request.body, there, if_match(request.header(b"if-match")))
    return saved(request, (await work.save_all([draft]))[0])


async def patch(request: Request, work: Work) -> Answer:
    """PATCH [base]/Type?…: the one match is patched; Problem 404 without one."""
    there = await match(work, await _condition(request, work))
    if there is None:
        raise Problem.not_found(request.segments[0], "that matches")
    return await patched(request, work, there)


async def delete(request: Request, work: Work) -> Answer:
    """DELETE [base]/Type?…: the one match is deleted; none is as good as done, several are refused."""
    there = await match(work, await _condition(request, work))
    if there is None:
        return deleted(request, ())
    version = if_match(request.header(b"if-match"))
    return deleted(request, await work.save_all([Draft(None, "delete", there.type, there.id, version)]))


async def match(work: Work, query: Query) -> Stored | None:
    """The only match, held so that nobody acts on the condition meanwhile; Problem 412 for several."""
    return only(query, (await work.search_all([query], hold=True))[0])


def only(query: Query, page: Page) -> Stored | None:
    """The only match of a page; Problem 412 for several."""
    if len(page.matches) > 1:
        raise Problem.of("cw-multiple-matches", type=query.type)
    return page.matches[0] if page.matches else None


def draft_of(type: str, body: bytes, there: Stored | None, version: int | None) -> Draft:
    """What a conditional update writes; Problem 400 when the body names another id than the match's."""
    own = head.id if (head := head_of(body)) is not None else None
    if there is not None and own not in (None, there.id):
        raise Problem.of("cw-id-mismatch", f"{type}.id")
    if there is None and version is not None:
        raise Problem.precondition_failed("Nothing matches, so there is no version to match either.")
    if there is None and own is None:
        return Draft(body, "create", type)
    return Draft(body, "update", type, there.id if there else own, version)


def criteria(request: Request, text: bytes) -> Pairs:
    """The parameters of an If-None-Exist header, with or without its question mark or address before it."""
    return parameters(text.rpartition(b"?")[2], request.site.limits)


async def _condition(request: Request, work: Work) -> Query:
    return await condition(request, work, request.segments[0], request.asked)

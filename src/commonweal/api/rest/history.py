"""Versions of one resource, of a type and of everything: https://hl7.org/fhir/R4/http.html#history."""

from collections.abc import Sequence
from dataclasses import replace

from commonweal.api import bundles
from commonweal.api.answer import Answer
from commonweal.api.request import Pairs, Request
from commonweal.api.rest.instance import checked_id
from commonweal.api.rest.searching import address
from commonweal.api.times import span_of
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Scope
from commonweal.platform.work import Work

KNOWN = ("_count", "_since", "_at", "_cursor")


async def of_instance(request: Request, work: Work) -> Answer:
    """GET [base]/Type/id/_history; Problem 404 where there never was one."""
    type, id = request.segments[:2]
    return await _told(request, work, Scope(type, checked_id(type, id)))


async def of_type(request: Request, work: Work) -> Answer:
    """GET [base]/Type/_history."""
    return await _told(request, work, Scope(request.segments[0]))


async def system(request: Request, work: Work) -> Answer:
    """GET [base]/_history."""
    return await _told(request, work, Scope())


async def _told(request: Request, work: Work, scope: Scope) -> Answer:
    pairs = _known(request)
    page = await work.history(_scoped(scope, pairs, request.site.limits.page))
    if scope.id and not page.matches and not pairs:
        raise Problem.not_found(scope.type or "", scope.id)
    entries = (bundles.version(request.base, stored) for stored in page.matches)
    return Answer(200, bundles.bundle("history", entries, _links(request, pairs, page.next), page.total))


def _known(request: Request) -> Pairs:
    known = [pair for pair in request.asked if pair[0] in KNOWN]
    if request.preference.strict and len(known) != len(request.asked):
        unknown = next(name for name, _ in request.asked if name not in KNOWN)
        raise Problem.of("cw-unknown-parameter", name=unknown[:60], type="a history")
    return known


def _scoped(scope: Scope, pairs: Pairs, largest: int) -> Scope:
    for name, value in pairs:
        if name == "_count":
            scope = replace(scope, count=_count(value, largest))
        elif name == "_cursor":
            scope = replace(scope, cursor=value)
        elif name == "_since":
            scope = replace(scope, since=span_of(name, value)[0])
        else:
            since, until = span_of(name, value)
            scope = replace(scope, since=since, until=until)
    return scope


def _count(value: str, largest: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9 or int(value) == 0:
        raise Problem.of("cw-bad-parameter", name="_count", why="it is a whole number above zero")
    return min(int(value), largest)


def _links(request: Request, pairs: Pairs, following: str | None) -> Sequence[tuple[str, str]]:
    path = "/".join(request.segments)
    said = [("self", address(request.base, path, pairs))]
    if following is not None:
        onwards = [pair for pair in pairs if pair[0] != "_cursor"] + [("_cursor", following)]
        said.append(("next", address(request.base, path, onwards)))
    return said

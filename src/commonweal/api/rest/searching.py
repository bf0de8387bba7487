"""Search of one type, of all, and of a compartment, by GET and POST: https://hl7.org/fhir/R4/http.html#search."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote_plus

from commonweal.api import bundles
from commonweal.api.answer import Answer, told
from commonweal.api.request import Pairs, Request
from commonweal.api.rest.instance import checked_id
from commonweal.api.subset import part
from commonweal.fhir.compartment import compartments
from commonweal.fhir.outcome import Problem, issue
from commonweal.fhir.search.query import Query, to_pairs
from commonweal.platform.definitions import understood
from commonweal.platform.ports import Page
from commonweal.platform.work import Work

PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


async def of_type(request: Request, work: Work) -> Answer:
    """GET [base]/Type?… or POST [base]/Type/_search."""
    type = request.segments[0]
    return await _searched(request, work, await parsed(request, work, type), type)


async def system(request: Request, work: Work) -> Answer:
    """GET [base]?… or POST [base]/_search; `_type` says which types, since not all can be asked for all."""
    return await _searched(request, work, await parsed(request, work, None), "")


async def in_compartment(request: Request, work: Work) -> Answer:
    """GET [base]/Patient/id/Type?…, or /* for all types: https://hl7.org/fhir/R4/compartmentdefinition.html."""
    owner, id, type = request.segments[:3]
    if owner not in compartments():
        raise Problem.of("cw-unknown-address", address=f"{owner}/{id[:64]}/{type}")
    query = await parsed(request, work, None if type == "*" else type)
    query = replace(query, compartment=(owner, checked_id(owner, id)))
    return await _searched(request, work, query, f"{owner}/{id}/{type}")


async def parsed(request: Request, work: Work, type: str | None) -> Query:
    """The query as it is understood; what is unknown is refused when the caller is strict, else told."""
    registry, lenient = request.site.catalogue.registry, not request.preference.strict
    return limited(request, await understood(work, registry, type, request.asked, lenient=lenient))


def limited(request: Request, query: Query) -> Query:
    """The query with a page no larger than this server gives."""
    largest = request.site.limits.page
    return replace(query, count=largest) if query.count is not None and query.count > largest else query


async def _searched(request: Request, work: Work, query: Query, path: str) -> Answer:
    return Answer(200, searchset(request, path, query, await work.search(query)))


def searchset(request: Request, path: str, query: Query, page: Page) -> bytes:
    """One page as a Bundle: https://hl7.org/fhir/R4/bundle.html#searchset."""
    entries = [*_entries(request.base, query, page), *_remarks(query, page)]
    return bundles.bundle("searchset", entries, links(request, path, query, page.next), page.total)


def _entries(base: str, query: Query, page: Page) -> Iterator[bytes]:
    whole = not query.elements and query.summary in (None, "false")
    for stored in page.matches:
        body = stored.body if whole else part(stored.body, query.summary, query.elements)
        yield bundles.found(base, stored, body)
    for stored in page.included:
        body = stored.body if whole else part(stored.body, query.summary)
        yield bundles.found(base, stored, body, b"include")


def links(request: Request, path: str, query: Query, following: str | None = None) -> bundles.Links:
    """self as it was understood, first, and next where there is more: https://hl7.org/fhir/R4/http.html#paging."""
    said = [("self", address(request.base, path, to_pairs(query)))]
    if query.cursor is not None:
        said.append(("first", address(request.base, path, to_pairs(replace(query, cursor=None)))))
    if following is not None:
        said.append(("next", address(request.base, path, to_pairs(replace(query, cursor=following)))))
    return said


def address(base: str, path: str, pairs: Pairs) -> str:
    """An absolute address with its parameters percent-encoded, so that it is plain ASCII."""
    place = f"{base}/{path}" if path else base
    return (
        f"{place}?{'&'.join(f'{_quoted(name)}={_quoted(value)}' for name, value in pairs)}"
        if pairs
        else place
    )


def _quoted(text: str) -> str:
    """Most names and ids need no quoting, and each search quotes many."""
    return text if PLAIN.fullmatch(text) else quote_plus(text)


def _remarks(query: Query, page: Page) -> list[bytes]:
    """What was not known, told to lenient callers, and what cannot all be found yet.

    https://hl7.org/fhir/R4/search.html#errors
    """
    ignored = [issue("cw-ignored-parameter", name=name) for name in query.ignored]
    incomplete = [issue("cw-incomplete", name=name) for name in page.incomplete]
    issues = [*ignored, *incomplete]
    return [bundles.remarked(told(issues).body)] if issues else []


async def condition(request: Request, work: Work, type: str, pairs: Pairs) -> Query:
    """The criteria of a conditional interaction; read strictly: an ignored one would widen what is touched.

    Problem 400 without any criterion. https://hl7.org/fhir/R4/http.html#ccreate
    """
    query = await understood(work, request.site.catalogue.registry, type, pairs, lenient=False)
    if not query.where:
        raise Problem.invalid("a conditional request needs at least one search parameter")
    return replace(query, count=2, sort=(), includes=(), summary=None, elements=(), total="none", cursor=None)

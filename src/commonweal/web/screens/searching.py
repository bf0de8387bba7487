"""Searching any type of resource by any parameter, with help on each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir import codec
from commonweal.fhir.elements import is_resource_type
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Parameter
from commonweal.fhir.search.query import parse
from commonweal.platform.ports import Page as Found
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work
from commonweal.web import page, site
from commonweal.web.language import gettext as _
from commonweal.web.record.line import Line, about, line
from commonweal.web.record.values import Shown
from commonweal.web.screens import loading

PAGE = 25
ROWS = 3
"""Rows of an empty form; one that is filled in has one more."""
Pairs = list[tuple[str, str]]


async def choose(work: Work, request: Request) -> Response:
    """Which type; those that have records first, with how many."""
    type = request.query_params.get("type", "")
    if type and is_resource_type(type):
        return page.redirect(f"/record/{type}")
    told = await site.of(request).status()
    return page.render(request, "choose.html", counts=told.counts, at=told.at)


async def search(work: Work, request: Request) -> Response:
    """The form and, once anything is asked, what was found."""
    type = request.path_params["type"]
    if not is_resource_type(type):
        raise Problem.of("cw-unknown-type", type=type[:64])
    pairs = _pairs(request)
    faults = page.Faults()
    found = await _found(work, request, type, pairs, faults)
    following = (
        page.address(request.url.path, **_sent(pairs), cursor=found.next) if found and found.next else ""
    )
    return page.render(
        request,
        "search.html",
        400 if faults else 200,
        type=type,
        pairs=[*pairs, ("", "")] if pairs else [("", "")] * ROWS,
        faults=faults,
        parameters=_help(site.of(request).platform.catalogue.registry.of(type)),
        lines=await _lines(work, found) if found else None,
        following=following,
    )


async def _found(work: Work, request: Request, type: str, pairs: Pairs, faults: page.Faults) -> Found | None:
    registry = site.of(request).platform.catalogue.registry
    try:
        query = parse(type, pairs, registry, lenient=False)
        return await work.search(
            replace(query, count=PAGE, cursor=request.query_params.get("cursor"), includes=())
        )
    except Problem as problem:
        if problem.status not in (400, 403) or problem.issues[0].code == "forbidden":
            raise
        faults.needs(False, "value-1", problem.issues[0].diagnostics)
        return None


async def _lines(work: Work, found: Found) -> list[tuple[Stored, Line, Shown | None]]:
    """Each with its line and whom it is about."""
    resources = [codec.parse(each.body) for each in found.matches]
    await loading.name_references(work, resources, frozenset({"Patient"}))
    return [
        (stored, line(resource), about(resource))
        for stored, resource in zip(found.matches, resources, strict=True)
    ]


def _pairs(request: Request) -> Pairs:
    """Rows of the form that are filled in."""
    query = request.query_params
    names, values = query.getlist("parameter"), query.getlist("value")
    pairs = zip(names, values, strict=False)
    return [(name.strip(), value.strip()) for name, value in pairs if name.strip() and value.strip()]


def _sent(pairs: Pairs) -> Mapping[str, Sequence[str]]:
    return {"parameter": [name for name, _value in pairs], "value": [value for _name, value in pairs]}


def _help(parameters: Mapping[str, Parameter]) -> list[tuple[Parameter, str]]:
    """Each parameter with what may be written; those of every type last."""
    hints = dict(_hints())
    ordered = sorted(parameters.values(), key=lambda each: (each.name.startswith("_"), each.name))
    return [(each, hints.get(each.type, "")) for each in ordered]


def _hints() -> Iterator[tuple[str, str]]:
    yield "string", _("the beginning of the text; with :contains any part of it, with :exact the whole")
    yield "token", _("a code, or system|code; with :text words of its display, with :not everything else")
    yield "date", _("2020, 2020-03 or 2020-03-05; before it gt, lt, ge or le")
    yield "number", _("a number; before it gt, lt, ge or le")
    yield "quantity", _("a number, or number|system|unit; before it gt, lt, ge or le")
    yield "reference", _("Type/id or id; a parameter of what it leads to behind a dot: subject:Patient.name")
    yield "uri", _("the whole address; with :below everything under it")
    yield "composite", _("two values with a $ between them")
    yield "special", _("see the reference manual")

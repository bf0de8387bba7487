"""Opening one resource: its summary, its JSON, any version of it, and what refers to it."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir import codec
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Parameter
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work
from commonweal.web import page, site
from commonweal.web.record.line import about, line
from commonweal.web.record.rows import rows
from commonweal.web.record.values import Json
from commonweal.web.screens import loading

MOST = 20
"""Resources shown for each way of referring."""


async def summary(work: Work, request: Request) -> Response:
    """Labels and values."""
    type, id = loading.named(request)
    return await _opened(work, request, *await loading.read(work, type, id))


async def version(work: Work, request: Request) -> Response:
    """The same of one version, whether it is current or not."""
    type, id = loading.named(request)
    return await _opened(work, request, *await loading.read(work, type, id, number(request)), past=True)


async def json(work: Work, request: Request) -> Response:
    """The resource as it is stored, laid out for reading."""
    type, id = loading.named(request)
    wanted = number(request, "version") if "version" in request.query_params else None
    stored, resource = await loading.read(work, type, id, wanted)
    text = msgspec.json.format(stored.body, indent=2).decode()
    return page.render(
        request, "json.html", stored=stored, line=line(resource), text=text, past=wanted is not None
    )


async def referring(work: Work, request: Request) -> Response:
    """Everything that refers to this resource, by type and element; asked together."""
    type, id = loading.named(request)
    stored, resource = await loading.read(work, type, id)
    ways = await _ways(work, request, type)
    found = await work.search_all(
        [f"{way.resource}?{way.name}={type}/{id}&_count={MOST + 1}" for way in ways]
    )
    groups = [
        (way, [line(codec.parse(each.body)) for each in some.matches[:MOST]], len(some.matches) > MOST)
        for way, some in zip(ways, found, strict=True)
        if some.matches
    ]
    return page.render(request, "referring.html", stored=stored, line=line(resource), groups=groups)


async def _ways(work: Work, request: Request, target: str) -> list[Parameter]:
    """Every parameter that may lead to the target type, of types that have records and may be searched."""
    catalogue = site.of(request).platform.catalogue
    there = [each.type for each in (await site.of(request).status()).counts]
    return [
        parameter
        for type in there
        if catalogue.policy.may(work.agent, f"{type}.search")
        for parameter in catalogue.registry.of(type).values()
        if parameter.type == "reference" and parameter.is_indexed and _leads(parameter, target)
    ]


def _leads(parameter: Parameter, target: str) -> bool:
    return not parameter.targets or target in parameter.targets


def number(request: Request, query: str = "") -> int:
    """The number of a version; Problem 404 when it is none."""
    text = request.query_params.get(query, "") if query else request.path_params["version"]
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10):
        type, id = loading.named(request)
        raise Problem.not_found(type, f"{id}/_history/{text[:20]}")
    return int(text)


async def _opened(
    work: Work, request: Request, stored: Stored, resource: Json, *, past: bool = False
) -> Response:
    own = line(resource)
    await loading.name_references(work, [resource], RESOURCE_TYPES)
    contained = [
        (each.get("id", ""), line(each), rows(each, each["resourceType"])) for each in _contained(resource)
    ]
    return page.render(
        request,
        "resource.html",
        stored=stored,
        line=own,
        rows=rows(resource, stored.type),
        meta=resource.get("meta", {}),
        contained=contained,
        whose=about(resource),
        past=past,
    )


def _contained(resource: Json) -> list[Json]:
    return [each for each in resource.get("contained", ()) if "resourceType" in each]

"""The interface as an OpenAPI document and a page, both made of the table of routes.

https://spec.openapis.org/oas/v3.1.0
"""

import html
from collections.abc import Iterator
from typing import Any

import msgspec

from commonweal.api import answer
from commonweal.api.answer import Answer
from commonweal.api.operations import READING, WRITING
from commonweal.api.request import Request, Site
from commonweal.api.route import ROUTES, Route
from commonweal.api.subset import SUMMARIES
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.platform.work import Work

Json = dict[str, Any]

ID = {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}
TYPE = {"type": "string", "enum": sorted(RESOURCE_TYPES)}
WORDS = {
    "Type": ("type", "A FHIR R4 resource type.", TYPE),
    "id": ("id", "The id of a resource.", ID),
    "vid": ("vid", "The number of a version.", {"type": "integer", "minimum": 1}),
    "file": ("file", "The name of a file, as the manifest has it.", {"type": "string"}),
    "$": ("operation", "An operation, with its dollar sign.", {"type": "string", "pattern": r"^\$[a-z-]+$"}),
}
QUERY: dict[str, tuple[tuple[str, str, Json], ...]] = {
    "search": (
        ("_count", "Resources on a page.", {"type": "integer", "minimum": 0}),
        ("_sort", "Search parameters to sort by, with a minus to descend.", {"type": "string"}),
        ("_summary", "Part of each resource.", {"enum": sorted(SUMMARIES)}),
        ("_elements", "Elements of each resource.", {"type": "string"}),
        ("_total", "How exactly matches are counted.", {"enum": ["none", "estimate", "accurate"]}),
        ("_lastUpdated", "When the resource last changed.", {"type": "string"}),
        ("_id", "The id of the resource.", {"type": "string"}),
    ),
    "history": (
        ("_count", "Versions on a page.", {"type": "integer", "minimum": 1}),
        ("_since", "Only versions made at this instant or later.", {"type": "string", "format": "date-time"}),
        ("_at", "Only versions that were current at some time in this span.", {"type": "string"}),
    ),
    "conditional": (("identifier", "A search parameter of the type: one at least.", {"type": "string"}),),
    "any": (
        ("_format", "The form of the answer: JSON.", {"enum": ["json", "application/fhir+json"]}),
        ("_pretty", "Whether the answer is indented.", {"enum": ["true", "false"]}),
    ),
}
HEADERS: dict[str, tuple[tuple[str, str], ...]] = {
    "read": (("If-None-Match", "The tag the caller has."), ("If-Modified-Since", "An HTTP date.")),
    "create": (("If-None-Exist", "Search parameters: created only if nothing matches."),),
    "update": (("If-Match", "The tag of the version that must be current."),),
    "patch": (("If-Match", "The tag of the version that must be current."),),
    "delete": (("If-Match", "The tag of the version that must be current."),),
}
SUCCESS = {
    **dict.fromkeys(("create", "update", "conditional update"), ("200", "201")),
    "status of an export": ("200", "202"),
    "cancellation of an export": ("202",),
}


async def document(request: Request, work: Work) -> Answer:
    """GET [base]/openapi.json."""
    return Answer(200, msgspec.json.encode(described(request.site, request.base)), b"application/json")


async def page(request: Request, work: Work) -> Answer:
    """GET [base]/openapi.html: the same for people, without any script."""
    return answer.text(_page(described(request.site, request.base)))


def described(site: Site, base: str) -> Json:
    """The OpenAPI document."""
    paths: Json = {}
    for route in ROUTES:
        paths.setdefault(_path(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Commonweal",
            "version": site.version,
            "summary": "The FHIR R4 RESTful interface",
            "description": f"Search parameters stand in {base}/metadata. Operations: {_offered(site)}.",
        },
        "servers": [{"url": base}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"securitySchemes": BEARER, "schemas": SCHEMAS},
    }


BEARER = {"bearer": {"type": "http", "scheme": "bearer"}}
SCHEMAS: Json = {
    "Resource": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}, "id": {"type": "string"}},
    },
    "Outcome": {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "required": ["severity", "code"]},
            },
        },
    },
}
RESOURCE = {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/Resource"}}}
OUTCOME = {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/Outcome"}}}
STEPS = {"application/json-patch+json": {"schema": {"type": "array", "items": {"type": "object"}}}}
FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
PAGES = {
    "openapi": {"application/json": {"schema": {"type": "object"}}},
    "status of an export": {"application/json": {"schema": {"type": "object"}}},
    "file of an export": {"application/fhir+ndjson": {"schema": {"type": "string"}}},
    "openapi-page": {"text/html": {"schema": {"type": "string"}}},
}


def _offered(site: Site) -> str:
    return ", ".join(sorted({*READING, *WRITING, *site.catalogue.operations}))


def _path(route: Route) -> str:
    """The shape as a template; a second type (of a compartment) has a name of its own."""
    words = route.shape.split("/") if route.shape else []
    names = [f"{{{WORDS[word][0]}}}" if word in WORDS else word for word in words]
    if route.shape.startswith("Type/id/Type"):
        names[2] = "{member}"
    return "/" + "/".join(names)


def _operation(route: Route) -> Json:
    address = route.shape.replace("/", "-").replace("$", "operation") or "system"
    said: Json = {
        "operationId": f"{route.method.lower()}-{address}",
        "summary": route.name,
        "parameters": [*_in_path(route), *_in_query(route), *_in_headers(route)],
        "responses": _responses(route),
    }
    if route.public:
        said["security"] = []
    if route.method in ("POST", "PUT", "PATCH"):
        said["requestBody"] = {"required": "operation" not in route.name, "content": _content(route)}
    return said


def _content(route: Route) -> Json:
    if route.shape.endswith("_search"):
        return FORM
    return STEPS | RESOURCE if route.method == "PATCH" else RESOURCE


def _responses(route: Route) -> Json:
    good = SUCCESS.get(route.name, ("204", "200") if route.method == "DELETE" else ("200",))
    content = PAGES.get(route.name, RESOURCE)
    answers: Json = {code: {"description": "Done", "content": content} for code in good if code != "204"}
    if "204" in good:
        answers["204"] = {"description": "Done, and there is nothing to say"}
    if route.method == "GET":
        answers["304"] = {"description": "The caller has this version"}
    return answers | {"default": {"description": "Refused, with an OperationOutcome", "content": OUTCOME}}


def _in_path(route: Route) -> Iterator[Json]:
    words = route.shape.split("/") if route.shape else []
    for place, word in enumerate(words):
        if word in WORDS:
            name, sentence, schema = WORDS[word]
            name = "member" if (place, word) == (2, "Type") else name
            yield {"name": name, "in": "path", "required": True, "description": sentence, "schema": schema}


def _in_query(route: Route) -> Iterator[Json]:
    topic = next((topic for topic in QUERY if route.name.startswith(topic)), "")
    for name, sentence, schema in (*QUERY.get(topic, ()), *(() if route.public else QUERY["any"])):
        yield {"name": name, "in": "query", "description": sentence, "schema": schema}


def _in_headers(route: Route) -> Iterator[Json]:
    for name, sentence in HEADERS.get(route.name, ()):
        yield {"name": name, "in": "header", "description": sentence, "schema": {"type": "string"}}


def _page(document: Json) -> str:
    rows = "".join(
        f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(said['summary'])}</td><td>{html.escape(_takes(said))}</td></tr>"
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    )
    info = document["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{info['title']}: {info['summary']}</title></head><body><main>"
        f"<h1>{info['title']} {html.escape(info['version'])}</h1><p>{info['summary']}, at "
        f"<code>{html.escape(document['servers'][0]['url'])}</code>. {html.escape(info['description'])}</p>"
        '<p><a href="openapi.json">OpenAPI document</a> · <a href="metadata">CapabilityStatement</a></p>'
        "<table><caption>What may be asked</caption><thead><tr><th>Method</th><th>Address</th>"
        f"<th>Interaction</th><th>Parameters</th></tr></thead><tbody>{rows}</tbody></table></main></body></html>"
    )


def _takes(said: Json) -> str:
    return ", ".join(each["name"] for each in said["parameters"] if each["in"] != "path")

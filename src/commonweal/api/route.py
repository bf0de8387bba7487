"""The interface as one table: method and shape of the address mean an interaction; OpenAPI is made of it too."""

from collections.abc import Mapping
from dataclasses import dataclass

from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem


@dataclass(frozen=True, slots=True)
class Route:
    """One interaction. `single`: it is at most one write and nothing else, so it needs no transaction;
    `public`: nobody has to sign in for it; `fhir`: the answer is FHIR's JSON, which the caller must take."""

    method: str
    shape: str
    name: str
    single: bool = False
    public: bool = False
    fhir: bool = True


ROUTES: tuple[Route, ...] = (
    Route("GET", "metadata", "capabilities", public=True),
    Route("GET", "openapi.json", "openapi", public=True, fhir=False),
    Route("GET", "openapi.html", "openapi-page", public=True, fhir=False),
    Route("POST", "", "batch or transaction"),
    Route("GET", "", "search-system"),
    Route("POST", "_search", "search-system by form"),
    Route("GET", "_history", "history-system"),
    Route("GET", "Type", "search-type"),
    Route("POST", "Type/_search", "search-type by form"),
    Route("GET", "Type/id/Type", "search-compartment"),
    Route("POST", "Type/id/Type/_search", "search-compartment by form"),
    Route("GET", "Type/_history", "history-type"),
    Route("GET", "Type/id/_history", "history-instance"),
    Route("GET", "Type/id", "read", single=True),
    Route("GET", "Type/id/_history/vid", "vread", single=True),
    Route("POST", "Type", "create", single=True),
    Route("PUT", "Type/id", "update", single=True),
    Route("PATCH", "Type/id", "patch"),
    Route("DELETE", "Type/id", "delete", single=True),
    Route("PUT", "Type", "conditional update"),
    Route("PATCH", "Type", "conditional patch"),
    Route("DELETE", "Type", "conditional delete"),
    Route("GET", "$", "operation"),
    Route("POST", "$", "operation by form of Parameters"),
    Route("GET", "Type/$", "type operation"),
    Route("POST", "Type/$", "type operation by Parameters"),
    Route("GET", "Type/id/$", "instance operation"),
    Route("POST", "Type/id/$", "instance operation by Parameters"),
    Route("GET", "Type/id/_history/vid/$", "version operation"),
    Route("GET", "_export/id", "status of an export", fhir=False),
    Route("DELETE", "_export/id", "cancellation of an export"),
    Route("GET", "_export/id/file", "file of an export", fhir=False),
)
"""https://hl7.org/fhir/R4/http.html#summary"""

_BY_SHAPE: Mapping[str, dict[str, Route]] = {
    shape: {route.method: route for route in ROUTES if route.shape == shape}
    for shape in {route.shape for route in ROUTES}
}
_WORDS = frozenset({"_history", "_search"})
_ALONE = _WORDS | {route.shape.partition("/")[0] for route in ROUTES} - {"Type"}


def find(method: str, segments: tuple[str, ...]) -> Route:
    """The route of a request; Problem 404 where there is none, 405 for a method it does not take."""
    there = _BY_SHAPE.get(shape(segments))
    if there is None:
        raise Problem.of("cw-unknown-address", address="/".join(segments)[:200])
    route = there.get("GET" if method == "HEAD" else method)
    if route is None:
        raise Problem.of("cw-method-not-allowed", method=method[:20])
    return route


def allowed(segments: tuple[str, ...]) -> str:
    """The methods an address takes, as the Allow header lists them."""
    methods = set(_BY_SHAPE.get(shape(segments), ()))
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}))


def shape(segments: tuple[str, ...]) -> str:
    """The address with types, ids and operations named as such; Problem 404 for an unknown type."""
    if not segments:
        return ""
    first = segments[0]
    if first not in RESOURCE_TYPES:
        if first[:1] != "$" and first not in _ALONE:
            raise Problem.of("cw-unknown-type", type=first[:64])
        return "/".join(["$" if first[:1] == "$" else first, *("id", "file", "last")[: len(segments) - 1]])
    return "/".join(["Type", *map(_named, segments[1:], ("id", "Type", "vid", "last"))])


def _named(segment: str, otherwise: str) -> str:
    if segment[:1] == "$":
        return "$"
    if segment in _WORDS:
        return segment
    if otherwise == "Type" and segment != "*" and segment not in RESOURCE_TYPES:
        raise Problem.of("cw-unknown-type", type=segment[:64])
    return otherwise

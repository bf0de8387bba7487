"""$everything about a patient or an encounter, page by page.

https://hl7.org/fhir/R4/patient-operation-everything.html and encounter-operation-everything.html
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commonweal.api import bundles
from commonweal.api.answer import Answer
from commonweal.api.request import Pairs, Request
from commonweal.api.rest.given import as_pairs, parameters_of
from commonweal.api.rest.instance import checked_id
from commonweal.api.rest.searching import address
from commonweal.api.times import span_of
from commonweal.fhir import codec
from commonweal.fhir.compartment import compartments
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work

REFERRED = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})"')
KNOWN = frozenset({"start", "end", "_since", "_type", "_count", "_cursor"})
PAGE = 200


@dataclass(frozen=True, slots=True)
class Care:
    """The span of care dates that is asked for, in microseconds; open where it is not said."""

    since: int | None
    until: int | None

    def takes(self, stored: Stored, registry: Registry) -> bool:
        """Does any date of the resource fall into the span? What has no date always does."""
        if self.since is None and self.until is None:
            return True
        dates = extract(codec.parse(stored.body), registry).dates
        return not dates or any(self._meets(lo, hi) for _, lo, hi in dates)

    def _meets(self, lo: int, hi: int) -> bool:
        return (self.since is None or hi >= self.since) and (self.until is None or lo <= self.until)


async def everything(request: Request, work: Work) -> Answer:
    """The resource itself, all in its compartment, and what those refer to outside of it."""
    type, id = request.segments[0], checked_id(request.segments[0], request.segments[1])
    pairs = _known(request)
    itself = await work.read(type, id)
    types, care = _types(pairs), _care(pairs)
    registry = request.site.catalogue.registry
    page = await work.search(parse(None, _search(pairs, request), registry, compartment=(type, id)))
    inside = [s for s in page.matches if s.reference != itself.reference and care.takes(s, registry)]
    first = [itself] if _value(pairs, "_cursor") is None and _is_wanted(type, types) else []
    outside = await _referred(request, work, [*first, *inside], types, (itself.reference,))
    entries = [bundles.found(request.base, each, each.body) for each in (*first, *inside, *outside)]
    return Answer(200, bundles.bundle("searchset", entries, _links(request, pairs, page.next)))


async def _referred(
    request: Request, work: Work, sources: Sequence[Stored], types: frozenset[str], known: Iterable[str]
) -> list[Stored]:
    """What the sources refer to outside of the compartment and the caller may read, one step, each once."""
    inside = compartments()[request.segments[0]]
    seen = {*known, *(each.reference for each in sources)}
    named = {(t.decode(), i.decode()) for each in sources for t, i in REFERRED.findall(each.body)}
    policy = request.site.catalogue.policy
    wanted = sorted(
        (type, id)
        for type, id in named
        if f"{type}/{id}" not in seen
        and type in RESOURCE_TYPES
        and type not in inside
        and _is_wanted(type, types)
        and policy.may(work.agent, f"{type}.read")
    )
    return [each for each in await work.read_all(wanted) if each is not None] if wanted else []


def _known(request: Request) -> Pairs:
    pairs = as_pairs(parameters_of(request))
    unknown = next((name for name, _ in pairs if name not in KNOWN), None)
    if unknown is not None:
        raise Problem.of("cw-unknown-parameter", name=unknown[:60], type="$everything")
    return pairs


def _search(pairs: Pairs, request: Request) -> Pairs:
    """The same as a search over all types."""
    given = [pair for pair in pairs if pair[0] in ("_type", "_count", "_cursor")]
    given += [("_lastUpdated", f"ge{value}") for name, value in pairs if name == "_since"]
    count = _value(pairs, "_count")
    largest = request.site.limits.page
    if count is None:
        return [*given, ("_count", str(PAGE))]
    too_many = count.isascii() and count.isdigit() and (len(count) > 9 or int(count) > largest)
    return [*(pair for pair in given if pair[0] != "_count"), ("_count", str(largest) if too_many else count)]


def _types(pairs: Pairs) -> frozenset[str]:
    return frozenset(type for name, value in pairs if name == "_type" for type in value.split(","))


def _is_wanted(type: str, types: frozenset[str]) -> bool:
    return not types or type in types


def _care(pairs: Pairs) -> Care:
    start, end = _value(pairs, "start"), _value(pairs, "end")
    return Care(span_of("start", start)[0] if start else None, span_of("end", end)[1] if end else None)


def _value(pairs: Pairs, name: str) -> str | None:
    return next((value for key, value in pairs if key == name), None)


def _links(request: Request, pairs: Pairs, following: str | None) -> bundles.Links:
    path = "/".join(request.segments)
    said = [("self", address(request.base, path, pairs))]
    if following is not None:
        onwards = [*(pair for pair in pairs if pair[0] != "_cursor"), ("_cursor", following)]
        said.append(("next", address(request.base, path, onwards)))
    return said

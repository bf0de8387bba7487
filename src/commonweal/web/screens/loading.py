"""Fetching a person's record: in whole pages, up to a limit that is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request

from commonweal.fhir import codec
from commonweal.fhir.elements import is_resource_type
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID, references
from commonweal.fhir.reference import parse as parse_reference
from commonweal.fhir.search.query import Query, parse
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work
from commonweal.web import site
from commonweal.web.record.line import title_of
from commonweal.web.record.values import Json

MOST = 5_000
"""Entries of a record that are read for one page."""
AT_ONCE = 1_000
NAMED = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location", "Medication"})
"""Whoever took part, where, and with what: what a timeline must call by name."""
MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Loaded:
    """`whole` False: the record is longer than is read for a page."""

    resources: Sequence[Json]
    whole: bool


def named(request: Request) -> tuple[str, str]:
    """The type and id in the address; Problem 404 when they can be neither."""
    type, id = request.path_params.get("type", "Patient"), request.path_params["id"]
    if not is_resource_type(type) or not ID.fullmatch(id):
        raise Problem.not_found(str(type)[:64], str(id)[:64])
    return type, id


async def read(work: Work, type: str, id: str, version: int | None = None) -> tuple[Stored, Json]:
    """One resource, parsed."""
    stored = await work.read(type, id, version)
    return stored, codec.parse(stored.body)


async def record_of(work: Work, request: Request, patient: str, types: Sequence[str]) -> Loaded:
    """Everything of these types in a patient's compartment, as far as whoever looks may search them at all."""
    catalogue = site.of(request).platform.catalogue
    if catalogue.policy.may(work.agent, "*.search"):
        return await _all(work, _within(request, None, patient, [("_type", ",".join(types))]))
    allowed = [type for type in types if catalogue.policy.may(work.agent, f"{type}.search")]
    pages = await work.search_all([_within(request, type, patient, []) for type in allowed])
    found = [stored for page in pages for stored in page.matches]
    whole = len(found) <= MOST and all(page.next is None for page in pages)
    return Loaded([codec.parse(each.body) for each in found[:MOST]], whole)


async def _all(work: Work, query: Query) -> Loaded:
    found: list[Stored] = []
    while True:
        page = await work.search(query)
        found += page.matches
        if page.next is None or len(found) >= MOST:
            return Loaded([codec.parse(each.body) for each in found], page.next is None)
        query = replace(query, cursor=page.next)


def _within(request: Request, type: str | None, patient: str, pairs: list[tuple[str, str]]) -> Query:
    registry = site.of(request).platform.catalogue.registry
    asked = [*pairs, ("_count", str(AT_ONCE))]
    return parse(type, asked, registry, lenient=False, compartment=("Patient", patient))


async def name_references(work: Work, resources: Sequence[Json], types: frozenset[str] = NAMED) -> None:
    """Give bare references to these types the name of what they lead to, as their display.

    What may not be read stays a bare reference.
    """
    bare = [each for resource in resources for each in references(resource) if _is_bare(each, types)]
    wanted = sorted({place for each in bare if (place := _place(each))})[:MOST_NAMES]
    if not wanted:
        return
    try:
        found = {each.reference: each for each in await work.read_all(wanted) if each is not None}
    except Problem as problem:
        if problem.status != 403:
            raise
        return
    titles = {key: title_of(codec.parse(each.body)) for key, each in found.items()}
    for each in bare:
        if each["reference"] in titles:
            each["display"] = titles[each["reference"]]


def _is_bare(each: Json, types: frozenset[str]) -> bool:
    return not each.get("display") and each["reference"].partition("/")[0] in types


def _place(each: Json) -> tuple[str, str] | None:
    found = parse_reference(each["reference"])
    return (found.type or "", found.id or "") if found.kind == "local" else None

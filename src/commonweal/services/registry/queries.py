"""What is asked of the record about people and places; first of all the facts of the rules."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from commonweal.fhir import codec
from commonweal.fhir.search.escapes import escape
from commonweal.platform import Facts, Work
from commonweal.platform.ports import Scope
from commonweal.services.registry.rules import people
from commonweal.services.registry.rules.households import said
from commonweal.services.registry.rules.people import Known, Number
from commonweal.services.registry.rules.places import Surroundings
from commonweal.services.registry.workflow import PLACE

Json = dict[str, Any]
PAGE = 100
COUNTED = 1000
"""At most so many are looked at to be counted for a page."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is at a place; None: too many to count for a page."""

    places: int | None
    households: int | None


async def known(work: Facts, person: Json) -> Known:
    """What there is to know before the numbers of a patient are admitted; nothing where none is checked."""
    if people.may_be_identified(person, Known()) and not people.keys(person):
        return Known()
    earlier = (await before(work, person)).before
    new = people.keys({"identifier": people.new_identifiers(person, earlier)})
    taken = [number for number in sorted(new) if await _has_another(work, person, number)]
    return Known(earlier, frozenset(taken))


async def before(work: Facts, person: Json) -> Known:
    """The version before this one, for those whose numbers need not be theirs alone."""
    found = await work.search(f"{person['resourceType']}?_id={person['id']}")
    return Known(next((codec.parse(each.body) for each in found.matches), None))


async def _has_another(work: Facts, person: Json, number: Number) -> bool:
    """Does somebody else have this number? Held until the end, so that two cannot ask in the same moment."""
    token = quote("|".join(map(escape, number)), safe="")
    found = await work.search(f"Patient?identifier={token}", hold=True)
    others = [codec.parse(each.body) for each in found.matches]
    others += [each for each in work.together if each["resourceType"] == "Patient"]
    links = (each for type in people.ONE_PERSON for each in people.linked(person, type))
    same = {person["id"], *(each.removeprefix("Patient/") for each in links)}
    return any(other["id"] not in same and number in people.keys(other) for other in others)


async def holders(work: Work, numbers: Iterable[Number]) -> list[str]:
    """Who has one of these numbers ("Patient/x"). Held until the end, as when a rule asks."""
    found: dict[str, None] = {}
    for number in sorted(numbers):
        token = quote("|".join(map(escape, number)), safe="")
        page = await work.search(f"Patient?identifier={token}", hold=True)
        there = (each for each in page.matches if number in people.keys(codec.parse(each.body)))
        found |= dict.fromkeys(each.reference for each in there)
    return list(found)


async def seen_with(work: Work, person: Json) -> str | None:
    """The id of somebody whom one may see and who has a number of this person."""
    for system, value in sorted(people.keys(person)):
        token = quote(f"{escape(system)}|{escape(value)}", safe="")
        page = await work.search(f"Patient?identifier={token}")
        there = (each for each in page.matches if (system, value) in people.keys(codec.parse(each.body)))
        found = next(there, None)
        if found is not None:
            return found.id
    return None


async def areas(work: Work) -> list[Json]:
    """Areas and grids in use, by name; as many as a page offers."""
    kinds = f"{PLACE}|area,{PLACE}|grid"
    page = await work.search(f"Location?type={kinds}&status=active&_sort=name&_count=500")
    return [codec.parse(each.body) for each in page.matches]


async def areas_named(work: Work, text: str) -> list[Json]:
    """The areas of exactly this name or division code."""
    kinds, value = f"type={PLACE}|area,{PLACE}|grid&status=active", quote(escape(text), safe="")
    named = await work.search(f"Location?{kinds}&name:exact={value}")
    coded = await work.search(f"Location?{kinds}&identifier={value}")
    found = {each.id: codec.parse(each.body) for each in (*named.matches, *coded.matches)}
    return list(found.values())


async def surroundings(work: Facts, place: Json) -> Surroundings:
    """The places around one, and the limits in force. All of them are held until the end, so that two places
    cannot become part of each other in the same moment."""
    limits = [work.parameter(f"place_{name}_most", work.now()) for name in ("levels", "points", "bytes")]
    around: list[str] = []
    inside: Json | None = place
    await _hold(work, place["id"])
    while inside is not None and (parent := parent_of(inside)) and len(around) < limits[0]:
        around.append(parent)
        if parent == place["id"] or parent in around[:-1]:
            break
        await _hold(work, parent)
        (found,) = await work.read_all([("Location", parent)])
        inside = codec.parse(found.body) if found else None
    return Surroundings(tuple(around), inside is None, *limits)


async def _hold(work: Facts, place: str) -> None:
    await work.search(f"Location?_id={place}&_summary=count", hold=True)


def parent_of(place: Json) -> str | None:
    """The id of the place that one is part of."""
    reference = str(place.get("partOf", {}).get("reference", ""))
    return reference.removeprefix("Location/") if reference.startswith("Location/") else None


async def ancestors(work: Work, place: Json) -> list[Json]:
    """The places around one that may be seen, the outermost first."""
    found: list[Json] = []
    ids = {place["id"]}
    while (parent := parent_of(place)) and parent not in ids:
        (above,) = await work.read_all([("Location", parent)])
        if above is None:
            break
        place = codec.parse(above.body)
        found.insert(0, place)
        ids.add(parent)
    return found


async def places_in(work: Work, place: str | None) -> Sequence[Json]:
    """The places that lie directly in one, by name; without one, those that lie in none."""
    within = f"partof=Location/{place}" if place else "partof:missing=true"
    page = await work.search(f"Location?{within}&_sort=name&_count={PAGE}")
    return [codec.parse(each.body) for each in page.matches]


async def households_at(work: Work, place: str) -> Sequence[Json]:
    """The households at a place, the latest first."""
    page = await work.search(f"Group?place=Location/{place}&_sort=-_lastUpdated&_count={PAGE}")
    return [codec.parse(each.body) for each in page.matches]


async def counts_in(work: Work, places: Sequence[str]) -> Mapping[str, Counts]:
    """Of each place (by id): how many places lie directly in it, and how many households are right there."""
    if not places:
        return {}
    references = ",".join(f"Location/{id}" for id in places)
    inside = await _references(work, f"Location?partof={references}", lambda place: [parent_of(place)])
    living = await _references(work, f"Group?place={references}", lambda group: _homes(group))
    return {id: Counts(_of(inside, id), _of(living, id)) for id in places}


async def _references(
    work: Work, asked: str, told: Callable[[Json], Iterable[str | None]]
) -> Counter[str | None] | None:
    """How often each is told of; None when there are too many to look at."""
    page = await work.search(f"{asked}&_count={COUNTED}")
    if page.next is not None:
        return None
    return Counter(id for each in page.matches for id in told(codec.parse(each.body)))


def _of(counted: Counter[str | None] | None, id: str) -> int | None:
    return None if counted is None else counted[id]


def _homes(group: Json) -> list[str]:
    return [reference.removeprefix("Location/") for reference in said(group, "place")]


async def members_of(work: Work, households: Sequence[Json]) -> Mapping[str, Json]:
    """The patients who live in these, by their reference, as far as they may be seen."""
    references = {
        each["entity"].get("reference", "") for group in households for each in group.get("member", ())
    }
    ids = sorted(each.removeprefix("Patient/") for each in references if each.startswith("Patient/"))
    found = await work.read_all([("Patient", id) for id in ids]) if ids else []
    return {each.reference: codec.parse(each.body) for each in found if each is not None}


async def ended_consents(work: Work) -> Sequence[Json]:
    """Consents in force whose period has ended; a page of them."""
    today = f"{work.now():%Y-%m-%dT%H:%M:%SZ}"
    page = await work.search(f"Consent?status=active&period=eb{today}&patient:missing=false&_count={PAGE}")
    return [codec.parse(each.body) for each in page.matches]


async def active_before(work: Work, patient: str, other: str) -> bool | None:
    """What `Patient.active` said before the record was merged into the other; None: nothing."""
    cursor: str | None = None
    while True:
        page = await work.history(Scope("Patient", patient, count=PAGE, cursor=cursor))
        for version in (codec.parse(each.body) for each in page.matches if not each.deleted):
            if f"Patient/{other}" not in people.linked(version, "replaced-by"):
                said: bool | None = version.get("active")
                return said
        cursor = page.next
        if cursor is None:
            return None

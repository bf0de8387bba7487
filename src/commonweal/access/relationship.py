"""Ties: who has to do with whom, until when; read off the resources that grant them, in the same transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from commonweal.access.consent import proxies
from commonweal.access.lasting import ALWAYS, FOREVER, NEVER, Span, both, lasting
from commonweal.fhir import reference
from commonweal.fhir.compartment import patient_of
from commonweal.fhir.search.dates import DAY, span

__all__ = ["AREA", "CARE", "EMERGENCY", "FOREVER", "GRANTING", "KINDS", "PROXY", "WAYS", "Tie", "Way", "ties"]

Json = dict[str, Any]

CARE = "care"
AREA = "area"
PROXY = "proxy"
EMERGENCY = "emergency"
KINDS = (CARE, AREA, PROXY, EMERGENCY)

LIVES_IN = "urn:commonweal:extension:lives-in"
"""Extension of a Patient: the Location in which somebody lives."""
EMERGENCY_TASK = ("urn:commonweal:privacy:task", "emergency-access")
"""Code of the Task by which somebody opened a record in an emergency."""

CARE_DAYS_BEFORE = (("2020-01-01", 30, "product default [P]: who prepares for a visit knows the person"),)
CARE_DAYS_AFTER = (
    ("2020-01-01", 30, "product default [P]: results come and letters are written afterwards"),
)
"""For how many days care begins before what is planned and lasts after its end: from which day on, how many, why."""


@dataclass(frozen=True, slots=True)
class Tie:
    """From a party ("Practitioner/x", "Organization/y", "Location/z" where somebody lives, "Patient/guardian") to a
    patient ("Patient/p"), holding from `since` until before `until` (microseconds since the epoch, UTC)."""

    kind: str
    party: str
    patient: str
    since: int = 0
    until: int = FOREVER


@dataclass(frozen=True, slots=True)
class Way:
    """How resources of a type tie whom they name to their patient.

    `parties`: elements that name somebody; `period`: the element that says for how long ("." the resource's own
    start and end). `statuses`: those that count (None: there are none); `ended`: those that count for a while after
    the end, which must be known. A participant counts for its own period, and not when it declined. `exact`: from
    start to end without a day more, and both must be known. `coded`: only with this code.
    """

    kind: str
    parties: tuple[str, ...]
    statuses: frozenset[str] | None = None
    ended: frozenset[str] = frozenset()
    period: str = ""
    types: frozenset[str] = frozenset(("Practitioner", "Organization"))
    exact: bool = False
    coded: tuple[str, str] | None = None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WAYS: dict[str, Way] = {
    # https://hl7.org/fhir/R4/patient.html
    "Patient": Way(CARE, ("generalPractitioner", "managingOrganization")),
    # https://hl7.org/fhir/R4/encounter.html
    "Encounter": Way(
        CARE,
        ("participant.individual", "serviceProvider"),
        _words("planned arrived triaged in-progress onleave"),
        ended=_words("finished"),
        period="period",
    ),
    # https://hl7.org/fhir/R4/episodeofcare.html
    "EpisodeOfCare": Way(
        CARE,
        ("careManager", "managingOrganization"),
        _words("planned waitlist active onhold"),
        period="period",
    ),
    # https://hl7.org/fhir/R4/careteam.html
    "CareTeam": Way(CARE, ("participant.member",), _words("proposed active"), period="period"),
    # https://hl7.org/fhir/R4/appointment.html
    "Appointment": Way(
        CARE,
        ("participant.actor",),
        frozenset(),
        ended=_words("booked arrived checked-in"),
        period=".",
        types=_words("Practitioner"),
    ),
    # https://hl7.org/fhir/R4/servicerequest.html
    "ServiceRequest": Way(CARE, ("performer",), _words("active"), period="occurrencePeriod"),
    # https://hl7.org/fhir/R4/task.html
    "Task": Way(
        EMERGENCY,
        ("requester", "owner"),
        _words("requested in-progress completed"),
        period="restriction.period",
        types=_words("Practitioner"),
        exact=True,
        coded=EMERGENCY_TASK,
    ),
}
"""By type. Beside them a Patient is tied to the place where they live, and a Consent may name a proxy."""
GRANTING = frozenset((*WAYS, "Consent"))
"""Types that can tie somebody to a patient or rule who may see what."""


def ties(resource: Json, bases: tuple[str, ...] = ()) -> tuple[Tie, ...]:
    """Every tie that a resource makes. `bases`: our own addresses (Registry.bases)."""
    type = resource["resourceType"]
    if type not in GRANTING or (patient := patient_of(resource, bases)) is None:
        return ()
    found = dict.fromkeys(_of_type(type, resource, bases))
    return tuple(Tie(kind, party, patient, *holds) for kind, party, holds in found if holds[0] < holds[1])


Found = Iterator[tuple[str, str, Span]]
"""Kind, party, and for how long."""


def _of_type(type: str, resource: Json, bases: tuple[str, ...]) -> Found:
    if type in WAYS:
        yield from _by(WAYS[type], resource, bases)
    if type == "Patient":
        for each in resource.get("extension", ()):
            if each.get("url") == LIVES_IN:
                yield from _named(AREA, each.get("valueReference"), frozenset(("Location",)), ALWAYS, bases)
    if type == "Consent":
        yield from ((PROXY, each.party, (each.since, each.until)) for each in proxies(resource, bases))


def _by(way: Way, resource: Json, bases: tuple[str, ...]) -> Found:
    holds = _holds(way, resource)
    if holds == NEVER or (way.coded and not _is_coded(resource.get("code", {}), way.coded)):
        return
    for path in way.parties:
        for holder, named in _at(resource, path):
            if holder is resource:
                yield from _named(way.kind, named, way.types, holds, bases)
            elif holder.get("status") != "declined":
                own = _widened(lasting(holder.get("period", {})))
                yield from _named(way.kind, named, way.types, both(holds, own), bases)


def _holds(way: Way, resource: Json) -> Span:
    """For how long it ties, by its status and period."""
    status = resource.get("status")
    ended = status in way.ended
    if not ended and way.statuses is not None and status not in way.statuses:
        return NEVER
    period = resource if way.period == "." else _element(resource, way.period)
    if way.exact:
        return lasting(period) if "start" in period and "end" in period else NEVER
    if ended and "end" not in period:
        return NEVER
    return _widened(lasting(period))


def _widened(holds: Span) -> Span:
    """With the days before and after that belong to care, as many as were right at that time."""
    since, until = holds
    if since:
        since = max(0, since - _days(CARE_DAYS_BEFORE, since))
    if 0 < until < FOREVER:
        until += _days(CARE_DAYS_AFTER, until)
    return since, until


def _days(table: tuple[tuple[str, int, str], ...], at: int) -> int:
    """Microseconds that the table gives for a time; its first line holds for all times before, too."""
    days = [days for day, days, _ in table if span(day)[0] <= at] or [table[0][1]]
    return days[-1] * DAY


def _element(resource: Json, path: str) -> Json:
    found: Any = resource
    for name in path.split(".") if path else ():
        found = found.get(name, {})
    return found if path else {}


def _at(resource: Json, path: str) -> Iterator[tuple[Json, Any]]:
    """Whatever stands at a path, each with what holds it."""
    first, _, rest = path.partition(".")
    value = resource.get(first, ())
    for each in value if isinstance(value, (list, tuple)) else (value,):
        if not rest:
            yield resource, each
        elif rest in each:
            yield each, each[rest]


def _named(kind: str, named: Any, types: frozenset[str], holds: Span, bases: tuple[str, ...]) -> Found:
    text = named.get("reference") if isinstance(named, dict) else None
    found = reference.parse(text, bases) if isinstance(text, str) else None
    if found is not None and found.kind == "local" and found.type in types:
        yield kind, found.target, holds


def _is_coded(concept: Json, code: tuple[str, str]) -> bool:
    return any((each.get("system"), each.get("code")) == code for each in concept.get("coding", ()))

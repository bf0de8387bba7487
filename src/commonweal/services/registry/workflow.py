"""The kinds that are kept here, and which of their states may follow which."""

from commonweal.platform import Kind, Move, Workflow
from commonweal.services.registry.rules import people
from commonweal.services.registry.rules.households import HOUSEHOLD

PLACE = "urn:commonweal:place"
PROFILE = "urn:commonweal:profile:"


def _coded(element: str, system: str, code: str) -> str:
    return f"{element}.coding.where(system = '{system}' and code = '{code}').exists()"


def _place(name: str) -> Kind:
    return Kind("Location", name, profile=PROFILE + name, matches=_coded("type", PLACE, name))


PATIENT = Kind("Patient")
PROVISIONAL = Kind("Patient", "provisional", profile=people.PROVISIONAL)
RELATED = Kind("RelatedPerson")
PRACTITIONER = Kind("Practitioner")
ORGANIZATION = Kind("Organization")
HOUSEHOLDS = Kind(
    "Group", "household", profile=PROFILE + "household", matches=_coded("code", HOUSEHOLD, "household")
)
AREA, GRID, FACILITY, VENUE = PLACES = tuple(map(_place, ("area", "grid", "facility", "venue")))
CONSENT = Kind("Consent", matches="scope.coding.where(code = 'research').empty()")
KINDS = (
    PATIENT,
    PROVISIONAL,
    RELATED,
    HOUSEHOLDS,
    PRACTITIONER,
    Kind("PractitionerRole"),
    ORGANIZATION,
    Kind("OrganizationAffiliation"),
    *PLACES,
    Kind("HealthcareService"),
    Kind("Endpoint"),
    CONSENT,
)

RECORD, END = "consent.record", "consent.end"
CONSENTING = Workflow(
    kind=CONSENT.label,
    state="Consent.status",
    moves=[
        Move(None, "draft", by=RECORD),
        Move(None, "proposed", by=RECORD),
        Move(None, "active", by=RECORD),
        Move("draft", "proposed", by=RECORD),
        Move("draft", "active", by=RECORD),
        Move("proposed", "active", by=RECORD),
        Move("proposed", "rejected", by=RECORD),
        Move("active", "inactive", by=END, topic="consent.ended"),
        *(Move(state, "entered-in-error", by=END) for state in ("draft", "proposed", "active", "inactive")),
    ],
)
"""A consent that has ended is never opened again: the person gives a new one."""

ADD, CLOSE = "place.add", "place.close"
OPENING = Workflow(
    kind=FACILITY.label,
    state="Location.status",
    moves=[
        Move(None, "active", by=ADD),
        Move("active", "suspended", by=CLOSE, topic="facility.suspended"),
        Move("suspended", "active", by=CLOSE, topic="facility.opened"),
        Move("active", "inactive", by=CLOSE, topic="facility.closed"),
        Move("suspended", "inactive", by=CLOSE, topic="facility.closed"),
    ],
)
"""A facility may be shut for a while; one that has closed for good is never opened again under the same record."""

REGISTER, MERGE = "person.register", "person.merge"
COMPARING = Workflow(
    kind=PROVISIONAL.label,
    state="iif(active, 'active', 'provisional')",
    moves=[
        Move(None, "provisional", by=REGISTER, topic="registration.matched"),
        Move("provisional", "active", by=MERGE),
    ],
)
"""Somebody whose number another record has: whoever keeps the match reviews is told."""

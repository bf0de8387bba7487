"""Registry: who people are, with whom they live, who cares for them, and where that is."""

from commonweal.access.roles import (
    ACCESS_MANAGER,
    AUDITOR,
    BACKEND,
    CLINICIAN,
    COMMUNITY_WORKER,
    EPIDEMIOLOGIST,
    OFFICER,
    OPERATOR,
    PHARMACIST,
    PRIVACY_OFFICER,
    REGISTRAR,
    RESIDENT,
)
from commonweal.platform import Admit, Every, Judgement, Page, Permission, Service
from commonweal.services.registry import api, handlers, pages, queries, workflow
from commonweal.services.registry.rules import consents, households, numbers, people, places

HOUR = 3600
FORM = ("GET", "POST")
PEOPLE = ("Patient", "RelatedPerson", "Group")
DIRECTORY = (
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "OrganizationAffiliation",
    "HealthcareService",
    "Endpoint",
)
CARING = (OPERATOR, CLINICIAN, PHARMACIST, REGISTRAR, COMMUNITY_WORKER, OFFICER, EPIDEMIOLOGIST)
"""Who sees people, each within its reach."""
EVERYBODY = (*CARING, RESIDENT, AUDITOR, PRIVACY_OFFICER, ACCESS_MANAGER, BACKEND)
"""Who has signed in."""


def _may(
    name: str, sentence: str, roles: tuple[str, ...], *allows: str, app: str | None = None
) -> Permission:
    return Permission(name, sentence, roles, allows, app)


def _each(types: tuple[str, ...], *interactions: str) -> tuple[str, ...]:
    return tuple(f"{type}.{each}" for type in types for each in interactions)


def _reads(*types: str) -> tuple[str, ...]:
    return _each(types, "read", "search", "history")


def _all(*types: str) -> tuple[str, ...]:
    return _each(types, "create", "update")


service = Service(
    name="registry",
    title="Registry",
    menu_order=10,
    owns=workflow.KINDS,
    admits=[
        Admit(workflow.PATIENT, people.may_be_identified, given=queries.known),
        Admit(workflow.PATIENT, people.may_be_unnamed),
        Admit(workflow.PATIENT, people.may_be_linked),
        Admit(workflow.PROVISIONAL, people.may_be_provisional),
        Admit(workflow.RELATED, people.may_be_identified, given=queries.before),
        Admit(workflow.PRACTITIONER, people.may_be_identified, given=queries.before),
        Admit(workflow.ORGANIZATION, places.may_be_coded),
        Admit(workflow.HOUSEHOLDS, households.may_be_household),
        *(Admit(kind, places.may_be_coded) for kind in workflow.PLACES),
        *(Admit(kind, places.may_lie_there, given=queries.surroundings) for kind in workflow.PLACES),
        *(Admit(kind, places.may_reach, given=queries.surroundings) for kind in workflow.PLACES),
        Admit(workflow.CONSENT, consents.may_stand),
    ],
    permissions=[
        _may(
            "registry.read",
            "Find and read people and households",
            (*CARING, RESIDENT, BACKEND),
            *_reads(*PEOPLE),
        ),
        _may(
            "directory.read",
            "Find and read places and those who care for people",
            EVERYBODY,
            *_reads("Location", *DIRECTORY),
        ),
        _may(
            "consent.read",
            "Read what a person agreed to",
            (OPERATOR, CLINICIAN, RESIDENT),
            *_reads("Consent"),
        ),
        _may(
            "person.register",
            "Register a person and correct what is known of them",
            (OPERATOR, REGISTRAR, BACKEND),
            *_all("Patient", "RelatedPerson"),
            app="c",
        ),
        _may(
            "person.merge", "Say that two records are one person, or undo that", (OPERATOR,), "Patient.update"
        ),
        _may(
            "identity.check",
            "Check an identity number without looking anybody up",
            (OPERATOR, REGISTRAR, CLINICIAN, BACKEND),
            app="r",
        ),
        _may(
            "household.register",
            "Say who lives together, and where",
            (OPERATOR, REGISTRAR, COMMUNITY_WORKER),
            *_all("Group"),
        ),
        _may("place.add", "Add an area, a grid, a facility or a venue", (OPERATOR,), *_all("Location")),
        _may(
            "place.close",
            "Shut a facility for a while or for good, and open it again",
            (OPERATOR,),
            "Location.update",
        ),
        _may(
            "care.register",
            "Register practitioners, organizations and what they offer",
            (OPERATOR,),
            *_all(*DIRECTORY),
        ),
        _may("consent.write", "Write consents as resources", (OPERATOR,), *_all("Consent")),
        _may(workflow.RECORD, "Record a consent", (OPERATOR, RESIDENT, REGISTRAR)),
        _may(workflow.END, "End a consent", (OPERATOR, RESIDENT, PRIVACY_OFFICER)),
    ],
    workflows=[workflow.CONSENTING, workflow.OPENING, workflow.COMPARING],
    operations=api.OPERATIONS,
    pages=[
        Page(
            "/register", "person.register", pages.register, "Register a person", menu="people", methods=FORM
        ),
        Page("/places", "directory.read", pages.places, "Places", menu="places"),
        Page("/places/add", "place.add", pages.add_place, "Add a place", methods=FORM),
        Page("/places/{id}", "directory.read", pages.place, "Place"),
    ],
    reacts=[Every(HOUR, handlers.end_consents)],
    judgements=[Judgement("identity", numbers.judged, numbers.judged.__doc__ or "")],
)

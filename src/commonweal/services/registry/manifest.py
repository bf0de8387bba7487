"""Registry: who people are, with whom they live, who cares for them, and where that is."""

from commonweal.access.agent import OPERATOR
from commonweal.platform import Admit, Every, Judgement, Page, Permission, Service
from commonweal.services.registry import api, handlers, pages, queries, workflow
from commonweal.services.registry.rules import consents, households, numbers, people, places

BY = (OPERATOR,)
HOUR = 3600
FORM = ("GET", "POST")


def _may(name: str, sentence: str, *allows: str) -> Permission:
    return Permission(name, sentence, roles=BY, allows=allows)


def _all(*types: str) -> tuple[str, ...]:
    return tuple(f"{type}.{each}" for type in types for each in ("create", "update"))


service = Service(
    name="registry",
    title="Registry",
    menu_order=10,
    owns=workflow.KINDS,
    admits=[
        Admit(workflow.PATIENT, people.may_be_identified, given=queries.known),
        Admit(workflow.PATIENT, people.may_be_unnamed),
        Admit(workflow.PATIENT, people.may_be_linked),
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
            "Find and read people, households, places and those who care for them",
            *(
                f"{type}.{each}"
                for type in sorted({kind.type for kind in workflow.KINDS})
                for each in ("read", "search")
            ),
        ),
        _may(
            "person.register",
            "Register a person and correct what is known of them",
            *_all("Patient", "RelatedPerson"),
        ),
        _may("person.merge", "Say that two records are one person, or undo that", "Patient.update"),
        _may("identity.check", "Check an identity number without looking anybody up"),
        _may("household.register", "Say who lives together, and where", *_all("Group")),
        _may("place.add", "Add an area, a grid, a facility or a venue", *_all("Location")),
        _may("place.close", "Shut a facility for a while or for good, and open it again", "Location.update"),
        _may(
            "care.register",
            "Register practitioners, organizations and what they offer",
            *_all(
                "Practitioner",
                "PractitionerRole",
                "Organization",
                "OrganizationAffiliation",
                "HealthcareService",
                "Endpoint",
            ),
        ),
        _may(workflow.RECORD, "Record a consent", *_all("Consent")),
        _may(workflow.END, "End a consent", "Consent.update"),
    ],
    workflows=[workflow.CONSENTING, workflow.OPENING],
    operations=api.OPERATIONS,
    pages=[
        Page(
            "/register", "person.register", pages.register, "Register a person", menu="people", methods=FORM
        ),
        Page("/places", "registry.read", pages.places, "Places", menu="places"),
        Page("/places/add", "place.add", pages.add_place, "Add a place", methods=FORM),
        Page("/places/{id}", "registry.read", pages.place, "Place"),
    ],
    reacts=[Every(HOUR, handlers.end_consents)],
    judgements=[Judgement("identity", numbers.judged, numbers.judged.__doc__ or "")],
)

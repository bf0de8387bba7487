"""What each role needs to see and write of care, until the services that own these types say it themselves.

A permission says which types; how far a role sees of them (its area, its organization, whom it cares for, itself) is
said by its reach (access/roles.py), and what an app may do on its behalf by the app's scopes.
"""

from collections.abc import Iterable

from commonweal.access.roles import (
    BACKEND,
    CLINICIAN,
    COMMUNITY_WORKER,
    EPIDEMIOLOGIST,
    OFFICER,
    PHARMACIST,
    REGISTRAR,
    RESIDENT,
)
from commonweal.platform import Permission

Types = frozenset[str]


def _types(names: str) -> Types:
    return frozenset(names.split())


MEDICINES = _types(
    "AllergyIntolerance DetectedIssue MedicationAdministration MedicationRequest MedicationStatement"
)
FINDINGS = _types(
    "Condition DiagnosticReport Immunization Observation QuestionnaireResponse RiskAssessment Specimen"
)
FOLLOWED = _types("AdverseEvent CarePlan EpisodeOfCare Flag ServiceRequest")
PLANNED = _types("Appointment AppointmentResponse Encounter")
OTHERS = _types(
    "BodyStructure CareTeam ClinicalImpression Communication Composition Device DeviceRequest DeviceUseStatement "
    "DocumentReference FamilyMemberHistory Goal ImagingStudy ImmunizationEvaluation ImmunizationRecommendation "
    "List Media NutritionOrder Procedure SupplyRequest VisionPrescription"
)
WRITTEN = MEDICINES | FINDINGS | FOLLOWED | PLANNED | OTHERS
"""What clinicians write; a dispensing is written by whoever dispenses. People and consents are the registry's."""
CARE = WRITTEN | _types("Coverage MedicationDispense")
"""What is read where care is given."""
OWN = _types("CommunicationRequest Task")
"""What the person reads beside it. Nobody who gives care does: an objection to an access is such a task. They are
written by the operations of those who own them."""


def _each(types: Iterable[str], *interactions: str) -> tuple[str, ...]:
    return tuple(f"{type}.{each}" for type in sorted(types) for each in interactions)


def _reads(types: Iterable[str]) -> tuple[str, ...]:
    return _each(types, "read", "search", "history")


def _writes(types: Iterable[str]) -> tuple[str, ...]:
    return _each(types, "create", "update")


PERMISSIONS = (
    Permission("record.read-care", "Read a person's record", (CLINICIAN, RESIDENT, BACKEND), _reads(CARE)),
    Permission("record.read-own", "Read what is asked and told about oneself", (RESIDENT,), _reads(OWN)),
    Permission("record.write-care", "Write what care is and finds", (CLINICIAN, BACKEND), _writes(WRITTEN)),
    Permission(
        "record.read-medicines",
        "Read what must be known to dispense",
        (PHARMACIST,),
        _reads(MEDICINES | _types("Condition Coverage MedicationDispense Observation")),
    ),
    Permission(
        "record.write-medicines",
        "Write what was dispensed, and what speaks against it",
        (PHARMACIST,),
        _writes(_types("MedicationDispense MedicationStatement DetectedIssue")),
    ),
    Permission(
        "record.read-cases",
        "Read what must be known to find and follow cases",
        (COMMUNITY_WORKER, OFFICER, EPIDEMIOLOGIST),
        _reads(FINDINGS | FOLLOWED | {"Encounter"}),
    ),
    Permission(
        "record.write-visits",
        "Write what a visit at home found",
        (COMMUNITY_WORKER,),
        _writes(_types("Encounter Flag Observation QuestionnaireResponse")),
    ),
    Permission(
        "record.read-visits",
        "Read who comes when, and who pays",
        (REGISTRAR,),
        _reads(PLANNED | {"Coverage"}),
    ),
    Permission("record.write-visits-here", "Write who comes when", (REGISTRAR,), _writes(PLANNED)),
)

"""The chapters of a record: which types and categories a clinician looks for together."""

from dataclasses import dataclass

from commonweal.fhir.compartment import compartments
from commonweal.web.language import gettext as _
from commonweal.web.record.values import Json


@dataclass(frozen=True, slots=True)
class Chapter:
    """One filter of the timeline. `usual`: shown when nothing is chosen."""

    name: str
    types: tuple[str, ...]
    usual: bool = True


CHAPTERS = (
    Chapter("encounters", ("Encounter", "EpisodeOfCare", "Appointment", "AppointmentResponse")),
    Chapter("problems", ("Condition", "AllergyIntolerance", "AdverseEvent", "DetectedIssue", "Flag",
                         "ClinicalImpression", "RiskAssessment", "FamilyMemberHistory")),
    Chapter("vitals", ()),
    Chapter("results", ("Observation", "DiagnosticReport", "Specimen", "MolecularSequence", "VisionPrescription")),
    Chapter("medicines", ("MedicationRequest", "MedicationStatement", "MedicationDispense",
                          "MedicationAdministration")),
    Chapter("immunisations", ("Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation")),
    Chapter("procedures", ("Procedure", "ImagingStudy", "ServiceRequest", "DeviceRequest", "DeviceUseStatement",
                           "RequestGroup", "NutritionOrder", "SupplyRequest", "SupplyDelivery", "BodyStructure")),
    Chapter("plans", ("CarePlan", "CareTeam", "Goal", "Task")),
    Chapter("documents", ("DocumentReference", "DocumentManifest", "Composition", "Media", "Communication",
                          "CommunicationRequest", "QuestionnaireResponse", "Consent", "List")),
    Chapter("billing", ("Claim", "ClaimResponse", "ExplanationOfBenefit", "Coverage", "Account", "ChargeItem",
                        "CoverageEligibilityRequest", "CoverageEligibilityResponse", "EnrollmentRequest",
                        "Invoice"), usual=False),
    Chapter("administration", ("Patient", "RelatedPerson", "Person", "Group", "Schedule", "ResearchSubject",
                               "Provenance", "AuditEvent", "Basic", "MeasureReport"), usual=False),
)  # fmt: skip

_CHAPTER_OF = {type: chapter.name for chapter in CHAPTERS for type in chapter.types}
VITAL = "vital-signs"


def chapter_of(resource: Json) -> str:
    """The chapter a resource stands in."""
    type = resource["resourceType"]
    if type == "Observation" and any(
        coding.get("code") == VITAL
        for category in resource.get("category", ())
        for coding in category.get("coding", ())
    ):
        return "vitals"
    return _CHAPTER_OF.get(type, "administration")


def title(chapter: str) -> str:
    """What a chapter is called."""
    return {
        "encounters": _("Encounters"),
        "problems": _("Problems and allergies"),
        "vitals": _("Vital signs"),
        "results": _("Results"),
        "medicines": _("Medicines"),
        "immunisations": _("Immunisations"),
        "procedures": _("Procedures and orders"),
        "plans": _("Plans and tasks"),
        "documents": _("Documents"),
        "billing": _("Billing"),
        "administration": _("Other"),
    }[chapter]


def types_of(chapters: frozenset[str]) -> tuple[str, ...]:
    """The types of a patient's compartment that these chapters need; encounters always, for they arrange the rest."""
    inside = sorted(type for type in compartments()["Patient"])
    wanted = chapters | {"encounters"} | ({"results"} if "vitals" in chapters else set())
    return tuple(type for type in inside if _CHAPTER_OF.get(type, "administration") in wanted)


def usual() -> frozenset[str]:
    """The chapters shown when nothing is chosen."""
    return frozenset(chapter.name for chapter in CHAPTERS if chapter.usual)

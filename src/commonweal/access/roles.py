"""The roles in which people and systems act: how far each sees, for which purpose, and what it never sees."""

from dataclasses import dataclass
from enum import StrEnum

OPERATOR = "operator"
"""Role of the person who runs the installation."""
SYSTEM = "system"
"""Role of the platform acting by itself: handlers, timers, import."""
ANONYMOUS = "anonymous"
"""Role of a person before any sign-in."""
RESIDENT = "resident"
CLINICIAN = "clinician"
REGISTRAR = "registrar"
PHARMACIST = "pharmacist"
COMMUNITY_WORKER = "community-worker"
OFFICER = "officer"
EPIDEMIOLOGIST = "epidemiologist"
AUDITOR = "auditor"
PRIVACY_OFFICER = "privacy-officer"
ACCESS_MANAGER = "access-manager"
BACKEND = "backend"


class Within(StrEnum):
    """How far a role sees."""

    EVERYWHERE = "everywhere"
    AREA = "area"
    ORGANIZATION = "organization"
    RELATIONSHIP = "relationship"
    OWN = "own"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Role:
    """One way to act. `within` bounds what is about people; what is about nobody (directories, definitions) is
    bounded by permissions alone.

    `masks`: elements ("Patient.name") this role never sees, searches or sorts by. `clearances`: sensitivity labels
    it sees without the person's own consent, by a statute that its assignment names. `factors`: how many proofs of
    identity its sign-in takes.
    """

    name: str
    title: str
    within: Within
    purpose: str
    masks: tuple[str, ...] = ()
    clearances: tuple[str, ...] = ()
    factors: int = 2


NAMELESS = (
    "Patient.name", "Patient.telecom", "Patient.address", "Patient.identifier", "Patient.photo", "Patient.contact",
    "RelatedPerson.name", "RelatedPerson.telecom", "RelatedPerson.address", "RelatedPerson.identifier",
    "RelatedPerson.photo",
)  # fmt: skip
"""What would tell who a case is."""

ROLES = {
    role.name: role
    for role in (
        Role(OPERATOR, "Operator", Within.EVERYWHERE, "HSYSADMIN"),
        Role(SYSTEM, "The platform itself", Within.EVERYWHERE, "HOPERAT", factors=0),
        Role(ANONYMOUS, "Not signed in", Within.NOWHERE, "PATRQT", factors=0),
        Role(RESIDENT, "Resident", Within.OWN, "PATRQT", factors=1),
        Role(CLINICIAN, "Doctor or nurse", Within.RELATIONSHIP, "TREAT"),
        Role(PHARMACIST, "Pharmacist", Within.RELATIONSHIP, "TREAT"),
        Role(REGISTRAR, "Registration desk", Within.ORGANIZATION, "HOPERAT"),
        Role(COMMUNITY_WORKER, "Community worker", Within.AREA, "PUBHLTH"),
        Role(OFFICER, "Public health officer", Within.AREA, "PUBHLTH"),
        Role(EPIDEMIOLOGIST, "Epidemiologist", Within.AREA, "PUBHLTH", masks=NAMELESS),
        Role(AUDITOR, "Auditor", Within.NOWHERE, "HCOMPL"),
        Role(PRIVACY_OFFICER, "Privacy officer", Within.NOWHERE, "HCOMPL"),
        Role(ACCESS_MANAGER, "Manager of people and roles", Within.NOWHERE, "HSYSADMIN"),
        Role(BACKEND, "A system of a partner", Within.ORGANIZATION, "HOPERAT", factors=1),
    )
}
"""By name. A deployment assigns them to people; it does not invent others."""


def unbounded(*names: str) -> dict[str, Role]:
    """Roles of those names that see whatever their permissions name: for trials of one permission at a time."""
    return {name: Role(name, name.capitalize(), Within.EVERYWHERE, "TREAT") for name in names}

"""To whom a resource belongs, as access asks it: patient, area, holding organization, security labels."""

from dataclasses import dataclass
from typing import Any

from commonweal.access.sensitivity import following
from commonweal.fhir import reference
from commonweal.fhir.compartment import patient_of

Json = dict[str, Any]

HOLDERS = (
    "managingOrganization",
    "custodian",
    "serviceProvider",
    "organization",
    "insurer",
    "owner",
    "requester",
)
"""Elements that name the organization holding a resource, the first that does so wins."""
AREAS = ("serviceArea", "location")
"""Elements that name the place a resource belongs to."""


@dataclass(frozen=True, slots=True)
class Belongs:
    """References ("Patient/x", "Location/y", "Organization/z") and labels ("system|code")."""

    patient: str | None
    area: str | None
    holder: str | None
    labels: tuple[str, ...]


def belongs(
    type: str, id: str, resource: Json, bases: tuple[str, ...], patient: str | None = None
) -> Belongs:
    """Both stores ask this; what a Patient, Location or Organization belongs to is itself. `bases`: Registry.bases;
    `patient`: whom the resource is about, for those who know already."""
    own = f"{type}/{id}"
    return Belongs(
        patient or (own if type == "Patient" else patient_of(resource, bases)),
        own if type == "Location" else _first(resource, AREAS, "Location", bases),
        own if type == "Organization" else _first(resource, HOLDERS, "Organization", bases),
        _labels(resource),
    )


def _first(resource: Json, names: tuple[str, ...], type: str, bases: tuple[str, ...]) -> str | None:
    for name in names:
        value = resource.get(name)
        if value is None:
            continue
        for each in value if isinstance(value, list) else (value,):
            text = each.get("reference") if isinstance(each, dict) else None
            found = reference.parse(text, bases) if isinstance(text, str) else None
            if found is not None and found.kind == "local" and found.type == type:
                return found.target
    return None


def _labels(resource: Json) -> tuple[str, ...]:
    """Those it carries, and those that follow from its codes."""
    security: list[Json] = resource.get("meta", {}).get("security", [])
    own = tuple(f"{each.get('system', '')}|{each.get('code', '')}" for each in security)
    return (*own, *sorted(following(resource).difference(own)))

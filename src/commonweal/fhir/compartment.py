"""Who a resource belongs to: https://hl7.org/fhir/R4/compartmentdefinition.html."""

from __future__ import annotations

from functools import cache
from typing import Any

from commonweal.fhir.search.compartments import compartments, parameters
from commonweal.fhir.search.parameters import official
from commonweal.fhir.search.plan import References, referring

__all__ = ["compartments", "parameters", "patient_of", "patients_of"]

Json = dict[str, Any]

ABOUT = ("subject", "patient", "beneficiary", "individual")
"""Parameters that say whom a resource is about, before those that say who else took part."""


def patient_of(resource: Json, bases: tuple[str, ...] = ()) -> str | None:
    """ "Patient/x" whom the resource is about; None when it is about nobody or about several.

    The subject counts before those who took part (a performer, a recipient). `bases`: Registry.bases.
    """
    if resource["resourceType"] == "Patient":
        return f"Patient/{resource['id']}" if "id" in resource else None
    for refer in _referring(resource["resourceType"], bases):
        if found := _patients(refer, resource):
            return found.pop() if len(found) == 1 else None
    return None


def patients_of(resource: Json, bases: tuple[str, ...] = ()) -> frozenset[str]:
    """Every patient in whose compartment the resource is, as "Patient/x"."""
    found = (_patients(refer, resource) for refer in _referring(resource["resourceType"], bases))
    return frozenset(filter(None, (patient_of(resource, bases),))).union(*found)


def _patients(refer: References, resource: Json) -> set[str]:
    return {target for target in refer(resource) if target.startswith("Patient/")}


@cache
def _referring(type: str, bases: tuple[str, ...]) -> tuple[References, ...]:
    names = parameters("Patient", type)
    first = sorted(names, key=lambda name: ABOUT.index(name) if name in ABOUT else len(ABOUT))
    return tuple(referring(official().of(type)[name], bases) for name in first)

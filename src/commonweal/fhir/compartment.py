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


OUTSIDE = {"Contract": "patient", "Device": "patient", "GuidanceResponse": "subject", "Task": "patient"}
"""Types that have no part in the compartment of a patient and are about one all the same: by which parameter."""


def patient_of(resource: Json, bases: tuple[str, ...] = ()) -> str | None:
    """ "Patient/x" whom the resource is about; None when it is about nobody or about several.

    The subject counts before those who took part (a performer, a recipient). `bases`: Registry.bases.
    """
    if resource["resourceType"] == "Patient":
        return f"Patient/{resource['id']}" if "id" in resource else None
    for refer in _telling(resource["resourceType"], bases):
        if found := _patients(refer, resource):
            return found.pop() if len(found) == 1 else None
    return None


def patients_of(resource: Json, bases: tuple[str, ...] = ()) -> frozenset[str]:
    """Every patient in whose compartment the resource is, as "Patient/x"."""
    type = resource["resourceType"]
    found = (_patients(refer, resource) for refer in _referring(type, bases))
    own = patient_of(resource, bases) if type == "Patient" else None
    return frozenset(filter(None, (own,))).union(*found)


def _patients(refer: References, resource: Json) -> set[str]:
    return {target for target in refer(resource) if target.startswith("Patient/")}


@cache
def _telling(type: str, bases: tuple[str, ...]) -> tuple[References, ...]:
    """Where it stands whom a resource is about."""
    if type in OUTSIDE:
        return (referring(official().of(type)[OUTSIDE[type]], bases),)
    return _referring(type, bases)


@cache
def _referring(type: str, bases: tuple[str, ...]) -> tuple[References, ...]:
    names = parameters("Patient", type)
    first = sorted(names, key=lambda name: ABOUT.index(name) if name in ABOUT else len(ABOUT))
    return tuple(referring(official().of(type)[name], bases) for name in first)

"""Who a resource belongs to: https://hl7.org/fhir/R4/compartmentdefinition.html."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from commonweal.fhir.search.parameters import official
from commonweal.fhir.search.plan import References, referring

Json = dict[str, Any]

ABOUT = ("subject", "patient", "beneficiary", "individual")
"""Parameters that say whom a resource is about, before those that say who else took part."""


@cache
def compartments() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """By compartment type (Patient, Encounter, Practitioner, RelatedPerson, Device): the search parameters by
    which a resource of each type is inside."""
    data = (files("commonweal.fhir") / "definitions" / "compartments.json").read_bytes()
    rows = msgspec.json.decode(data)["compartments"]
    return {name: {type: tuple(names) for type, names in inside.items()} for name, inside in rows}


def parameters(compartment: str, type: str) -> tuple[str, ...]:
    """The reference parameters by which resources of `type` are inside; KeyError for no compartment.

    The resource that gives the compartment its name is inside as well. Empty: the type has no part in it.
    """
    return compartments()[compartment].get(type, ())


def patient_of(resource: Json) -> str | None:
    """ "Patient/x" whom the resource is about; None when it is about nobody or about several.

    The subject counts before those who took part (a performer, a recipient).
    """
    if resource["resourceType"] == "Patient":
        return f"Patient/{resource['id']}" if "id" in resource else None
    for refer in _referring(resource["resourceType"]):
        if found := _patients(refer, resource):
            return found.pop() if len(found) == 1 else None
    return None


def patients_of(resource: Json) -> frozenset[str]:
    """Every patient in whose compartment the resource is, as "Patient/x"."""
    found = [_patients(refer, resource) for refer in _referring(resource["resourceType"])]
    itself = (
        {f"Patient/{resource['id']}"}
        if patient_of(resource) and resource["resourceType"] == "Patient"
        else ()
    )
    return frozenset(itself).union(*found)


def _patients(refer: References, resource: Json) -> set[str]:
    return {target for target in refer(resource) if target.startswith("Patient/")}


@cache
def _referring(type: str) -> tuple[References, ...]:
    names = parameters("Patient", type)
    first = sorted(names, key=lambda name: ABOUT.index(name) if name in ABOUT else len(ABOUT))
    return tuple(referring(official().of(type)[name]) for name in first)

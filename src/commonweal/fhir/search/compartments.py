"""Which search parameters put a resource into a compartment: https://hl7.org/fhir/R4/compartmentdefinition.html."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


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

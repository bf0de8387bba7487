"""What a resource yields for every search parameter of its type: https://hl7.org/fhir/R4/search.html#ptypes."""

from __future__ import annotations

from typing import Any

from commonweal.fhir.search.entries import Indexed
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.plan import plan

__all__ = ["Indexed", "extract"]

Json = dict[str, Any]


def extract(resource: Json, registry: Registry) -> Indexed:
    """What the resource yields for every parameter of its type; entries may repeat, order says nothing.

    Each element is looked at once: a plan, made once for a type, says who wants it.
    """
    found = Indexed()
    wanted, whole = plan(registry, resource["resourceType"])
    for name, value in resource.items():
        for visit in wanted.get(name, ()):
            visit(value, found)
    for visit in whole:
        visit(resource, found)
    return found

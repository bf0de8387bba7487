"""Changing part of a resource: https://hl7.org/fhir/R4/http.html#patch.

Both kinds take parsed JSON and give new JSON, which the caller has validated like any other body. A patch that
cannot be read is Problem 400; one that does not fit the resource is Problem 422; both say which step it was.
"""

from commonweal.fhir.patch.pointers import json_patch
from commonweal.fhir.patch.steps import fhirpath_patch

__all__ = ["fhirpath_patch", "json_patch"]

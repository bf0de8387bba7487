"""Gate 2, its second half: may such a resource be kept, and does it fit the profiles that it claims?

https://hl7.org/fhir/R4/profiling.html#resources

Only profiles shipped by services count here: others are anybody's, and $validate tells what they say.
"""

from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue

TOLD = {
    "AuditEvent": "AuditEvents are told by the platform of what it sealed; one from elsewhere would look the same"
}
"""Types that nobody writes, and why."""


def fitting(catalogue: Catalogue, resource: dict[str, Any]) -> None:
    """Problem 422 with each place that does not fit."""
    if resource["resourceType"] in TOLD:
        raise Problem.of("cw-business-rule", why=TOLD[resource["resourceType"]])
    claimed = resource.get("meta", {}).get("profile")
    faults = catalogue.faults(resource, claimed) if claimed else ()
    if faults:
        raise Problem.unprocessable(faults)

"""What the codes of the worlds mean: one hierarchy, and value sets over it and beside it."""

from typing import Any

from commonweal.fhir.official import official
from tests.store.contract.worlds import CODES, SYSTEMS

Json = dict[str, Any]
LOINC, SNOMED = SYSTEMS[0], SYSTEMS[1]
HIERARCHY = {
    "resourceType": "CodeSystem",
    "url": LOINC,
    "content": "complete",
    "concept": [
        {"code": CODES[0], "concept": [{"code": CODES[1]}, {"code": "A", "concept": [{"code": "a"}]}]},
        {"code": "x|y"},
    ],
}
LISTED = [{"code": code} for code in ("A", "é", "x|y", "nowhere")]
BELOW = [{"property": "concept", "op": "is-a", "value": "A"}]
SETS: dict[str, list[Json]] = {
    "http://sets/whole": [{"system": LOINC}],
    "http://sets/some": [{"system": LOINC, "filter": BELOW}, {"system": SNOMED, "concept": LISTED}],
    "http://sets/none": [{"system": SNOMED, "concept": [{"code": "nowhere"}]}],
    "http://hl7.org/fhir/ValueSet/administrative-gender": [],
}


def known(type: str, canonical: str) -> Json | None:
    """A lookup, as `Work.definition` is one."""
    if type == "CodeSystem" and canonical == LOINC:
        return HIERARCHY
    if type == "ValueSet" and SETS.get(canonical):
        return {"resourceType": "ValueSet", "url": canonical, "compose": {"include": SETS[canonical]}}
    return official(type, canonical)

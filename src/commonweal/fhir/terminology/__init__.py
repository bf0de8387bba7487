"""What codes mean, without any server: https://hl7.org/fhir/R4/terminology-module.html."""

from commonweal.fhir.terminology.codes import Codes, codes
from commonweal.fhir.terminology.expanding import Allowance, Coded, NotExpandable, contains, expand
from commonweal.fhir.terminology.mapping import translate
from commonweal.fhir.terminology.required import codes_of, systems_of
from commonweal.fhir.terminology.subsuming import above, below

__all__ = [
    "Allowance", "Coded", "Codes", "NotExpandable", "above", "below", "codes", "codes_of", "contains",
    "expand", "systems_of", "translate",
]  # fmt: skip

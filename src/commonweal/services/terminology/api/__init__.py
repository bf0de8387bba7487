"""The operations of terminology: https://hl7.org/fhir/R4/terminology-service.html."""

from commonweal.platform import Operation
from commonweal.services.terminology.api import code_systems, maps, value_sets

ASK = "terminology.ask"
OFFICIAL = "http://hl7.org/fhir/OperationDefinition"

_RUNS = {
    "ValueSet/$expand": (value_sets.expand, "List the codes of a value set"),
    "ValueSet/$validate-code": (value_sets.validate, "Tell whether a code is in a value set"),
    "CodeSystem/$lookup": (code_systems.lookup, "Tell what a code means"),
    "CodeSystem/$subsumes": (code_systems.subsumes, "Tell whether one code is a kind of another"),
    "CodeSystem/$validate-code": (code_systems.validate, "Tell whether a code exists"),
    "ConceptMap/$translate": (maps.translate, "Tell what a code is mapped to"),
}
OPERATIONS = [
    Operation(
        name, ASK, run, sentence, affects_state=False, definition=f"{OFFICIAL}/{name.replace('/$', '-')}"
    )
    for name, (run, sentence) in _RUNS.items()
]

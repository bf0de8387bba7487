"""ConceptMap/$translate: https://hl7.org/fhir/R4/conceptmap-operation-translate.html."""

from typing import Any

from commonweal.fhir import terminology
from commonweal.fhir.terminology.mapping import Match
from commonweal.platform import Work
from commonweal.services.terminology.api.asking import CODED, Asked, answer, text

Json = dict[str, Any]


async def translate(work: Work, parameters: Json) -> Json:
    """What a named map says of a code, forwards."""
    asked = Asked(parameters, ("url", "conceptMap", "targetsystem", "source", "target", *CODED))
    codes, target = asked.codes(), asked.text("targetsystem")
    concept_map = await asked.definition(work, "ConceptMap", own="conceptMap")
    found = [m for c in codes for m in terminology.translate(concept_map, c.system or "", c.code, target)]
    result = any(each.is_match for each in found)
    message = None if result else "The map names no match."
    matches = (_match(each, concept_map.get("url")) for each in found)
    return answer({"name": "result", "valueBoolean": result}, text("message", message), *matches)


def _match(match: Match, url: str | None) -> Json:
    concept = {"system": match.system, "code": match.code, "display": match.display}
    parts: list[Json] = [{"name": "equivalence", "valueCode": match.equivalence}]
    if match.code:
        parts.append({"name": "concept", "valueCoding": {k: v for k, v in concept.items() if v}})
    if url:
        parts.append({"name": "source", "valueUri": url})
    return {"name": "match", "part": parts}

"""A part of a resource: https://hl7.org/fhir/R4/search.html#summary and #elements."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from commonweal.api.answer import Answer
from commonweal.api.request import Request
from commonweal.fhir import codec
from commonweal.fhir.elements import elements
from commonweal.fhir.outcome import Problem

Json = dict[str, Any]
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
SUMMARIES = frozenset({"true", "false", "text", "data", "count"})
ALWAYS = frozenset({"resourceType", "id", "meta"})


def narrowed(request: Request, answer: Answer) -> Answer:
    """An answer's resource with the part that the request asks for."""
    if request.query:
        answer.body = part(answer.body, request.value("_summary"), names_of(request.value("_elements")))
    return answer


def names_of(text: str | None) -> tuple[str, ...]:
    """The names in `_elements`; a dotted one names its root, since only those are cut."""
    return tuple(name.split(".")[0] for name in text.split(",") if name) if text else ()


def part(body: bytes, summary: str | None, wanted: Iterable[str] = ()) -> bytes:
    """The body as asked, tagged SUBSETTED; Problem 400 for a summary that FHIR does not know."""
    if summary is not None and summary not in SUMMARIES:
        why = f"it is one of {', '.join(sorted(SUMMARIES))}"
        raise Problem.of("cw-bad-parameter", name="_summary", why=why)
    wanted = tuple(wanted)
    if not wanted and summary in (None, "false"):
        return body
    resource = codec.parse(body)
    if summary == "data" and not wanted:
        resource.pop("text", None)
    else:
        keep = _kept(resource["resourceType"], summary or "", wanted)
        resource = {name: value for name, value in resource.items() if name in keep}
    return codec.encode(_tagged(resource))


def _tagged(resource: Json) -> Json:
    meta = resource.get("meta", {})
    return {
        "resourceType": resource["resourceType"],
        **({"id": resource["id"]} if "id" in resource else {}),
        **resource,
        "meta": {**meta, "tag": [*meta.get("tag", ()), SUBSETTED]},
    }


@lru_cache(maxsize=512)
def _kept(type: str, summary: str, wanted: tuple[str, ...]) -> frozenset[str]:
    """The JSON names that stay; what is required stays, so that it is still valid."""
    chosen = ALWAYS
    for element in elements(type).values():
        if element.required or _is_chosen(element.name, element.summary, summary, wanted):
            names = [name for name, _ in element.forms()]
            chosen |= {form for name in names for form in (name, f"_{name}")}
    return chosen


def _is_chosen(name: str, in_summary: bool, summary: str, wanted: tuple[str, ...]) -> bool:
    if wanted:
        return name in wanted
    return name == "text" if summary == "text" else in_summary

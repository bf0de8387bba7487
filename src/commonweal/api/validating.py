"""$validate: what the gates would say of a write, without making it; and whether it fits its profiles.

Those that it is asked for and those that the resource claims: shipped by services, R4's own, or records.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Sequence
from typing import Any

from commonweal.api.answer import Answer, told
from commonweal.api.request import Request
from commonweal.api.rest.instance import checked_id, head_of
from commonweal.fhir import codec
from commonweal.fhir.outcome import Issue, Problem
from commonweal.fhir.validate import fitting
from commonweal.platform.definitions import gathered
from commonweal.platform.work import Draft, Work

Json = dict[str, Any]
MODES = ("create", "update", "delete", "profile")


async def judged(request: Request, work: Work) -> Answer:
    """POST [base]/Type/$validate or Type/id/$validate: always 200, the outcome says what is wrong."""
    type = request.segments[0]
    id = checked_id(type, request.segments[1]) if len(request.segments) == 3 else None
    try:
        asked = _asked(request)
    except Problem as problem:
        return told(problem.issues)
    if asked["mode"] not in (None, *MODES):
        raise Problem.of("cw-bad-parameter", name="mode", why=f"it is one of {', '.join(MODES)}")
    return told(await _judged(request, work, type, id, asked))


async def _judged(request: Request, work: Work, type: str, id: str | None, asked: Json) -> Sequence[Issue]:
    resource, mode = asked["resource"], asked["mode"]
    if mode == "delete":
        if id is None:
            raise Problem.invalid("mode delete is asked of an instance: Type/id/$validate")
        return await work.judge(Draft(None, "delete", type, id))
    if resource is None:
        if id is None:
            raise Problem.invalid("there is no resource to validate")
        resource = codec.parse((await work.read(type, id)).body)
    judged = await work.judge(_draft(resource, mode, type, id))
    profiles = [*dict.fromkeys([*asked["profile"], *resource.get("meta", {}).get("profile", ())])]
    found = await work.compute(fitting, resource, profiles, await gathered(work, profiles))
    return [*judged, *(each for each in found if each not in judged)]


def _draft(resource: Any, mode: str | None, type: str, id: str | None) -> Draft:
    if id is not None or mode == "update":
        return Draft(resource, "update", type, id)
    return Draft(resource, "create", type)


def _asked(request: Request) -> Json:
    """resource, mode and profile, from Parameters, from a bare resource and from the address."""
    said: Json = {"resource": None, "mode": request.value("mode"), "profile": []}
    said["profile"] += [value for name, value in request.pairs if name == "profile"]
    head = head_of(request.body)
    if not request.body or (head is not None and head.resourceType != "Parameters"):
        return said | {"resource": codec.check(request.body) if request.body else None}
    for each in codec.check(request.body, "Parameters").get("parameter", []):
        name = each["name"]
        if name == "resource":
            said["resource"] = each.get("resource")
        elif name == "mode":
            said["mode"] = each.get("valueCode") or each.get("valueString")
        elif name == "profile":
            said["profile"].append(next((v for k, v in each.items() if k.startswith("value")), ""))
    return said

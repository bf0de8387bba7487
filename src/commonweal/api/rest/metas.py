"""$meta, $meta-add and $meta-delete: profiles, tags and labels alone.

https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from collections.abc import Callable
from typing import Any

from commonweal.api.answer import Answer
from commonweal.api.request import Request
from commonweal.api.rest.instance import checked_id
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Stored
from commonweal.platform.work import Draft, Work

Json = dict[str, Any]
Change = Callable[[list[Any], list[Any]], list[Any]]
SETS = ("profile", "security", "tag")


async def shown(request: Request, work: Work) -> Answer:
    """GET [base]/Type/id/$meta, or of one version."""
    type, id = request.segments[:2]
    version = request.segments[3] if len(request.segments) == 5 else None
    if version is not None and not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Problem.not_found(type, f"{id[:64]}/_history/{version[:64]}")
    return _told(await work.read(type, checked_id(type, id), int(version) if version else None))


async def add(request: Request, work: Work) -> Answer:
    """POST [base]/Type/id/$meta-add: what is there already is not added twice."""
    return await _changed(
        request, work, lambda there, given: there + [g for g in given if not _is_in(g, there)]
    )


async def take_away(request: Request, work: Work) -> Answer:
    """POST [base]/Type/id/$meta-delete: what is not there is not missed."""
    return await _changed(request, work, lambda there, given: [t for t in there if not _is_in(t, given)])


async def _changed(request: Request, work: Work, change: Change) -> Answer:
    type, id = request.segments[:2]
    given = _given(request.body)
    there = await work.read(type, checked_id(type, id))
    resource = codec.parse(there.body)
    meta = resource.setdefault("meta", {})
    for name in SETS:
        meta[name] = change(meta.get(name, []), given.get(name, []))
        if not meta[name]:
            del meta[name]
    draft = Draft(resource, "update", type, id, there.version)
    return _told((await work.save_all([draft]))[0])


def _given(body: bytes) -> Json:
    parameters = codec.check(body, "Parameters").get("parameter", [])
    metas = [each["valueMeta"] for each in parameters if each["name"] == "meta" and "valueMeta" in each]
    if len(metas) != 1:
        raise Problem.invalid("exactly one 'meta' with a valueMeta is needed", "Parameters.parameter")
    meta: Json = metas[0]
    return meta


def _is_in(one: Any, many: list[Any]) -> bool:
    """Codings are the same by system and code: https://hl7.org/fhir/R4/resource.html#tag-updates."""
    return _key(one) in {_key(other) for other in many}


def _key(one: Any) -> tuple[str | None, str | None]:
    return (one.get("system"), one.get("code")) if isinstance(one, dict) else (None, one)


def _told(stored: Stored) -> Answer:
    meta = codec.parse(stored.body).get("meta", {})
    parameter = {"name": "return", "valueMeta": meta}
    return Answer(200, codec.encode({"resourceType": "Parameters", "parameter": [parameter]}))

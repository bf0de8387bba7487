"""What this server can do, generated from what is there: https://hl7.org/fhir/R4/capabilitystatement.html."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from commonweal.api.answer import Answer
from commonweal.api.audit.asking import AUDIT_EVENT
from commonweal.api.operations import READING, WRITING
from commonweal.api.request import Request, Site
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.search.parameters import Parameter
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.work import Work

Json = dict[str, Any]
KEPT = 8

BULK = "http://hl7.org/fhir/uv/bulkdata"
NAMED_ELSEWHERE = {
    "$export": f"{BULK}/OperationDefinition/export",
    "Patient/$export": f"{BULK}/OperationDefinition/patient-export",
    "Group/id/$export": f"{BULK}/OperationDefinition/group-export",
    "$import": "urn:commonweal:operation:import",
}
"""Definitions of operations that FHIR itself does not define."""

ON_AN_INSTANCE = ("read", "vread", "update", "patch", "delete", "history-instance")
ON_A_TYPE = (*ON_AN_INSTANCE, "history-type", "create", "search-type")
ON_THE_WHOLE = ("transaction", "batch", "search-system", "history-system")


async def metadata(request: Request, work: Work) -> Answer:
    """GET [base]/metadata, which callers may keep: https://hl7.org/fhir/R4/http.html#capabilities."""
    body, etag = _kept(request)
    answer = Answer(304 if etag in request.header(b"if-none-match") else 200, body)
    answer.etag = etag
    if answer.status == 304:
        answer.body = b""
    return answer


def _kept(request: Request) -> tuple[bytes, str]:
    """The statement for the base that was asked, made once; made-up bases cannot fill memory."""
    kept: dict[str, tuple[bytes, str]] = request.site.kept.setdefault("metadata", {})
    if request.base not in kept:
        if len(kept) >= KEPT:
            kept.clear()
        body = msgspec.json.encode(statement(request.site, request.base))
        kept[request.base] = (body, f'W/"{hashlib.blake2b(body, digest_size=8).hexdigest()}"')
    return kept[request.base]


def statement(site: Site, base: str) -> Json:
    """The CapabilityStatement."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": f"{site.platform.clock():%Y-%m-%d}",
        "kind": "instance",
        "instantiates": [f"{BULK}/CapabilityStatement/bulk-data"],
        "software": {"name": "Commonweal", "version": site.version},
        "implementation": {"description": "Commonweal, one open record of a region", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [_rest(site)],
    }


def _rest(site: Site) -> Json:
    catalogue = site.catalogue
    reverse = _reverse(catalogue)
    return {
        "mode": "server",
        "security": {"cors": bool(site.origins), "description": "Bearer tokens (RFC 6750)"},
        "resource": [_resource(catalogue, type, reverse) for type in sorted(RESOURCE_TYPES)],
        "interaction": [{"code": code} for code in ON_THE_WHOLE],
        "searchParam": [_search(each) for _, each in sorted(catalogue.registry.of(None).items())],
        **_some("operation", _operations(catalogue, "")),
    }


def _resource(catalogue: Catalogue, type: str, reverse: Mapping[str, list[str]]) -> Json:
    parameters = catalogue.registry.of(type)
    if type == "AuditEvent":
        return _told(catalogue, type)
    forward = [f"{type}:{name}" for name, each in sorted(parameters.items()) if each.type == "reference"]
    return {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        **_some("supportedProfile", _profiles(catalogue, type)),
        "interaction": [{"code": code} for code in ON_A_TYPE],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical"],
        **_some("searchInclude", ["*", *forward] if forward else []),
        **_some("searchRevInclude", reverse.get(type, [])),
        "searchParam": [_search(each) for _, each in sorted(parameters.items())],
        **_some("operation", _operations(catalogue, type)),
    }


def _told(catalogue: Catalogue, type: str) -> Json:
    """One that is told from the journal and written by nobody."""
    known = catalogue.registry.of(type)
    return {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "interaction": [{"code": code} for code in ("read", "vread", "search-type")],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "searchParam": [_search(known[name]) for name in sorted(AUDIT_EVENT) if name in known],
    }


def _some(name: str, values: list[Any]) -> Json:
    """FHIR knows no empty arrays: what has no values is left out."""
    return {name: values} if values else {}


def _search(parameter: Parameter) -> Json:
    url = {"definition": parameter.url} if parameter.url else {}
    return {"name": parameter.name, **url, "type": parameter.type}


def _reverse(catalogue: Catalogue) -> dict[str, list[str]]:
    """_revinclude by the type pointed to, where a parameter states its targets."""
    found: dict[str, list[str]] = {}
    for source in sorted(RESOURCE_TYPES):
        named = sorted(catalogue.registry.of(source).items())
        references = ((name, each.targets) for name, each in named if each.type == "reference")
        for name, target in ((name, target) for name, targets in references for target in targets):
            found.setdefault(target, []).append(f"{source}:{name}")
    return found


def _profiles(catalogue: Catalogue, type: str) -> list[str]:
    owned = (kind.profile for service in catalogue.services for kind in service.owns if kind.type == type)
    shipped = (
        each["url"]
        for each in catalogue.resources
        if each["resourceType"] == "StructureDefinition" and each.get("type") == type
    )
    return sorted({profile for profile in (*owned, *shipped) if profile})


def _operations(catalogue: Catalogue, type: str) -> list[Json]:
    """Built in ones by the official definition, a service's own by the OperationDefinition that it ships."""
    mine = (type, "Type") if type else ("$export", "$import")
    built = [address for address in (*READING, *WRITING) if address.split("/")[0] in mine]
    official = {address.rpartition("$")[2]: _official(address) for address in built}
    own = {name.rpartition("$")[2]: name for name in catalogue.operations if name.rpartition("/")[0] == type}
    return [{"name": name, "definition": url} for name, url in sorted(official.items())] + [
        {"name": name, "definition": _defined(catalogue, type, name)} for name in sorted(own)
    ]


def _official(address: str) -> str:
    if address in NAMED_ELSEWHERE:
        return NAMED_ELSEWHERE[address]
    type, name = address.split("/")[0], address.rpartition("$")[2]
    return f"http://hl7.org/fhir/OperationDefinition/{'Resource' if type == 'Type' else type}-{name}"


def _defined(catalogue: Catalogue, type: str, name: str) -> str:
    def fits(each: Mapping[str, Any]) -> bool:
        is_here = type in each.get("resource", ()) or (not type and each.get("system"))
        return each["resourceType"] == "OperationDefinition" and each.get("code") == name and bool(is_here)

    told = catalogue.operations[f"{type}/${name}" if type else f"${name}"].definition
    urls = (each["url"] for each in catalogue.resources if fits(each) and "url" in each)
    return next(urls, told or f"urn:commonweal:operation:{type or 'system'}-{name}")

"""A Bundle of requests, opened: each entry a request of its own, its resource still the bytes that came."""

import base64
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec

from commonweal.api.request import Request, segments_of
from commonweal.api.rest.instance import head_of
from commonweal.fhir import codec
from commonweal.fhir.outcome import Issue, Problem

Json = dict[str, Any]

CONDITIONS = (
    ("ifMatch", b"if-match"),
    ("ifNoneExist", b"if-none-exist"),
    ("ifNoneMatch", b"if-none-match"),
    ("ifModifiedSince", b"if-modified-since"),
)
INHERITED = (b"prefer", b"authorization")
PLACE = re.compile(rb'"resource"\s*:\s*')
STAND_IN = b'{"resourceType":"Basic","code":{"text":"-"}}'


class _Slice(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Slices(msgspec.Struct):
    entry: list[_Slice] = []


@dataclass(frozen=True, slots=True)
class Step:
    """One entry: where it stands, what it is called inside the Bundle, and the request it makes."""

    index: int
    full_url: str
    request: Request


def opened(request: Request) -> tuple[str, list[Step]]:
    """The Bundle's type and its steps; Problem 400 or 422 when it is none, or not one of requests."""
    envelope, resources = _taken_apart(request.body)
    kind = envelope.get("type", "")
    if kind not in ("batch", "transaction"):
        why = f"a Bundle sent here is a batch or a transaction, not '{str(kind)[:40]}'"
        raise Problem.invalid(why, "Bundle.type")
    entries = envelope.get("entry", [])
    if len(entries) > request.site.limits.entries:
        raise Problem.of("cw-too-many", "Bundle.entry", limit=request.site.limits.entries, what="entries")
    return kind, [
        _step(request, index, entry, resource)
        for index, (entry, resource) in enumerate(zip(entries, resources, strict=True))
    ]


class blaming:
    """Whatever Problem arises inside is said of one entry: "Patient.name" is "Bundle.entry[3].resource.name"."""

    def __init__(self, index: int) -> None:
        self._entry = f"Bundle.entry[{index}]"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Problem):
            raise Problem(error.status, [_placed(each, self._entry) for each in error.issues]) from error


def _placed(each: Issue, entry: str) -> Issue:
    _, dot, rest = (each.expression or "").partition(".")
    path = f"{entry}.resource{dot}{rest}" if each.expression else entry
    return msgspec.structs.replace(each, expression=path)


def _taken_apart(body: bytes) -> tuple[Json, list[bytes]]:
    """The envelope, checked as any resource is but without its resources, and their bytes."""
    try:
        slices = msgspec.json.decode(body, type=_Slices).entry
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        codec.check(body, "Bundle")
        raise Problem.invalid("the Bundle cannot be read") from None
    resources = [bytes(each.resource) for each in slices]
    return codec.check(_without(body, resources), "Bundle"), resources


def _without(body: bytes, resources: list[bytes]) -> bytes:
    pieces, done = [], 0
    for resource in filter(None, resources):
        for place in PLACE.finditer(body, done):
            if body.startswith(resource, place.end()):
                pieces += [body[done : place.end()], STAND_IN]
                done = place.end() + len(resource)
                break
    return b"".join((*pieces, body[done:]))


def _step(outer: Request, index: int, entry: Json, resource: bytes) -> Step:
    asked = entry.get("request")
    if asked is None:
        raise Problem.of("cw-missing-element", f"Bundle.entry[{index}].request", name="request")
    path, _, query = asked["url"].removeprefix(outer.base).partition("?")
    headers = {name: outer.headers[name] for name in INHERITED if name in outer.headers}
    headers |= {name: asked[key].encode("utf-8") for key, name in CONDITIONS if key in asked}
    headers[b"content-type"] = b"application/fhir+json"
    segments = segments_of(unquote(path))
    inner = Request(
        outer.site, asked["method"], segments, query.encode(), headers, id=outer.id, base=outer.base
    )
    inner.agent, inner.body = outer.agent, resource
    if inner.method == "PATCH":
        _unwrap_patch(inner, index)
    return Step(index, entry.get("fullUrl", ""), inner)


def _unwrap_patch(inner: Request, index: int) -> None:
    """JSON Patch inside a Bundle comes as a Binary: https://hl7.org/fhir/R4/http.html#patch."""
    head = head_of(inner.body)
    if head is None or head.resourceType != "Binary":
        return
    with blaming(index):
        binary = codec.check(inner.body, "Binary")
        inner.headers = {**inner.headers, b"content-type": binary["contentType"].encode()}
        inner.body = base64.b64decode(binary.get("data", ""))

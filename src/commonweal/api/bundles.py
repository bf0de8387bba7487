"""Bundles put together from ready bytes; no resource is decoded or encoded on the way out.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus

import msgspec

from commonweal.fhir.outcome import Json
from commonweal.platform.ports import Stored

Links = Sequence[tuple[str, str]]

VERBS = {"create": b"POST", "update": b"PUT", "delete": b"DELETE"}


def bundle(type: str, entries: Iterable[bytes], links: Links = (), total: int | None = None) -> bytes:
    """A Bundle of entries that are JSON already."""
    head: Json = {"resourceType": "Bundle", "type": type}
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": relation, "url": url} for relation, url in links]
    start, inside = msgspec.json.encode(head), b",".join(entries)
    return b"".join((start[:-1], b',"entry":[', inside, b"]}")) if inside else start


def found(base: str, stored: Stored, body: bytes, mode: bytes = b"match") -> bytes:
    """An entry of a searchset: https://hl7.org/fhir/R4/bundle.html#searchset."""
    return b'{"fullUrl":"%b/%b","resource":%b,"search":{"mode":"%b"}}' % (
        base.encode(),
        stored.reference.encode(),
        body,
        mode,
    )


def remarked(outcome: bytes) -> bytes:
    """An entry that tells about the search itself: https://hl7.org/fhir/R4/search.html#modes."""
    return b'{"resource":%b,"search":{"mode":"outcome"}}' % outcome


def version(base: str, stored: Stored) -> bytes:
    """An entry of a history: https://hl7.org/fhir/R4/bundle.html#history."""
    reference = stored.reference.encode()
    url = stored.type.encode() if stored.method == "create" else reference
    resource = b"" if stored.deleted else b'"resource":%b,' % stored.body
    return b'{"fullUrl":"%b/%b",%b"request":{"method":"%b","url":"%b"},"response":%b}' % (
        base.encode(),
        reference,
        resource,
        VERBS[stored.method],
        url,
        response(_status(stored), etag=f'W/"{stored.version}"', modified=stored.updated),
    )


def answered(response: bytes, resource: bytes = b"", full_url: str = "") -> bytes:
    """An entry of a batch-response or transaction-response."""
    url = b'"fullUrl":%b,' % msgspec.json.encode(full_url) if full_url else b""
    body = b'"resource":%b,' % resource if resource else b""
    return b'{%b%b"response":%b}' % (url, body, response)


def response(
    status: int, *, location: str = "", etag: str = "", modified: int | None = None, outcome: bytes = b""
) -> bytes:
    """Bundle.entry.response."""
    said: dict[str, object] = {"status": f"{status} {HTTPStatus(status).phrase}"}
    if location:
        said["location"] = location
    if etag:
        said["etag"] = etag
    if modified is not None:
        said["lastModified"] = instant(modified)
    if outcome:
        said["outcome"] = msgspec.Raw(outcome)
    return msgspec.json.encode(said)


@lru_cache(maxsize=1024)
def instant(microseconds: int) -> str:
    """A time as FHIR writes an instant, to the millisecond: https://hl7.org/fhir/R4/datatypes.html#instant."""
    moment = datetime.fromtimestamp(microseconds // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds // 1000 % 1000:03}Z"


def _status(stored: Stored) -> int:
    return {"create": 201, "update": 200, "delete": 204}[stored.method]

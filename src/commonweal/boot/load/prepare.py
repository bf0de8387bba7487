"""From an item to a draft: the id it keeps or is given, and its references resolved.

A valid source id is kept. A resource without one takes the uuid of its fullUrl, else an id made of its
content and place, so that loading the same files twice never makes two of it.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from commonweal.boot.load.sources import Item
from commonweal.platform.work import Draft

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
UUID_URL = re.compile(r"urn:uuid:([0-9a-fA-F\-]{36})\Z")
LINK = re.compile(
    rb'("reference"\s*:\s*)"((?:urn:uuid:|urn:oid:|https?://|[A-Z][A-Za-z]{1,40}'
    rb'(?:\?|/[A-Za-z0-9.\-]{0,64}[^A-Za-z0-9.\-/"\\]))[^"\\]{0,500})"'
)
"""A reference to be resolved: a url, a search ("Practitioner?identifier=…"), or one to an id that is not valid.
Others need nothing done. Linear: bounded classes after a fixed start."""
ELSEWHERE = re.compile(r"https?://(?!.*/[A-Z][A-Za-z]{1,40}/[A-Za-z0-9.\-]{1,64}\Z)")
"""A url that cannot be the address of a resource."""


class _Head(msgspec.Struct):
    resourceType: str = ""
    id: str | None = None


_head = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft that waits for nothing but the record, and where it came from."""

    place: str
    draft: Draft
    text: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """An item with its type and id; `given`: the source had no valid id; `urls`: what others may call it."""

    item: Item
    type: str
    id: str
    given: bool
    urls: tuple[str, ...]


def identify(item: Item) -> Named:
    """ValueError when the text is no JSON object with a type."""
    try:
        head = _head.decode(item.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"this is not a JSON resource: {error}") from None
    if not head.resourceType:
        raise ValueError("there is no resourceType")
    type, uuid = head.resourceType, UUID_URL.match(item.full_url or "")
    urls = [item.full_url] if item.full_url else []
    if head.id is not None and ID.match(head.id):
        return Named(item, type, head.id, False, tuple(urls))
    if head.id is None and uuid:
        return Named(item, type, uuid[1].lower(), True, tuple(urls))
    if head.id is not None:
        urls.append(f"{type}/{head.id}")
    made = blake2b(item.place.encode() + item.body, digest_size=16).hexdigest()
    return Named(item, type, made, True, tuple(urls))


def links(body: bytes) -> set[str]:
    """The references of this resource that are to be resolved."""
    return {url.decode("utf-8", "replace") for _, url in LINK.findall(body)}


def is_awaited(url: str) -> bool:
    """May another file still tell what this is?"""
    return not ELSEWHERE.match(url)


def is_search(url: str) -> bool:
    """ "Type?…": https://hl7.org/fhir/R4/http.html#trules (conditional references)."""
    return "?" in url and url.partition("?")[0].isalpha()


def is_needed(url: str) -> bool:
    """Is the reference worth nothing as it stands?"""
    return url.startswith("urn:") or is_search(url)


def with_references(body: bytes, known: dict[str, str]) -> bytes:
    """The same text with every known url made a relative reference."""

    def replaced(match: "re.Match[bytes]") -> bytes:
        reference = known.get(match[2].decode("utf-8", "replace"))
        return match[0] if reference is None else match[1] + b'"' + reference.encode() + b'"'

    return LINK.sub(replaced, body)


def with_id(body: bytes, id: str) -> bytes:
    """The same text under another id; only used where the source had none or no valid one."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"this is not a JSON resource: {error}") from None
    return msgspec.json.encode({**fields, "id": id})


def draft(named: Named, known: dict[str, str]) -> Prepared:
    """The item as a write: an update under its id, so that a repeat becomes a version or nothing."""
    item = named.item
    body = with_references(item.body, known) if known else item.body
    body = with_id(body, named.id) if named.given else body
    return Prepared(item.place, Draft(body, "update", named.type, named.id), item.body)

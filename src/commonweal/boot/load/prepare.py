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
LINK = re.compile(rb'("reference"\s*:\s*)"((?:urn:uuid:|urn:oid:|https?://)[^"\\]{1,500})"')
"""A reference that is a url; relative ones need nothing done. Linear: one bounded class after a fixed start."""


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


def identify(item: Item) -> tuple[str, str, bool]:
    """(type, id, whether the id had to be given). ValueError when the text is no JSON object with a type."""
    try:
        head = _head.decode(item.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"this is not a JSON resource: {error}") from None
    if not head.resourceType:
        raise ValueError("there is no resourceType")
    if head.id is not None and ID.match(head.id):
        return head.resourceType, head.id, False
    uuid = UUID_URL.match(item.full_url or "")
    if head.id is None and uuid:
        return head.resourceType, uuid[1].lower(), True
    return head.resourceType, blake2b(item.place.encode() + item.body, digest_size=16).hexdigest(), True


def links(body: bytes) -> set[str]:
    """The urls this resource refers to."""
    return {url.decode() for _, url in LINK.findall(body)}


def with_references(body: bytes, known: dict[str, str]) -> bytes:
    """The same text with every known url made a relative reference."""

    def replaced(match: "re.Match[bytes]") -> bytes:
        reference = known.get(match[2].decode())
        return match[0] if reference is None else match[1] + b'"' + reference.encode() + b'"'

    return LINK.sub(replaced, body)


def with_id(body: bytes, id: str) -> bytes:
    """The same text under another id; only used where the source had none or no valid one."""
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**fields, "id": id})


def draft(item: Item, type: str, id: str, given: bool, known: dict[str, str]) -> Prepared:
    """The item as a write: an update under its id, so that a repeat becomes a version or nothing."""
    body = with_references(item.body, known) if known else item.body
    return Prepared(item.place, Draft(with_id(body, id) if given else body, "update", type, id), item.body)

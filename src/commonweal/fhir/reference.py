"""References between resources: https://hl7.org/fhir/R4/references.html."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from commonweal.fhir.elements import is_resource_type

Json = dict[str, Any]

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_HOLDS = frozenset({str, dict, list})
_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])([^"']*)""")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a Reference.reference says.

    kind: "local" (Type/id here: also an absolute url below one of our bases), "absolute" (another server; `type`
    and `id` when its url ends in them), "urn", "contained" (`id` without "#"), "conditional" (Type?query) or
    "other" (anything else, a canonical too).
    """

    text: str
    kind: str
    type: str | None = None
    id: str | None = None
    version: str | None = None

    @property
    def target(self) -> str:
        """One spelling for one target: "Type/id" when local, else the text; without a version."""
        if self.kind == "local":
            return f"{self.type}/{self.id}"
        return self.text.partition("/_history/")[0] if self.kind == "absolute" else self.text


@lru_cache(maxsize=1 << 15)
def parse(text: str, bases: tuple[str, ...] = ()) -> Reference:
    """Reads any text; `bases` are our own addresses, each with its closing slash."""
    for base in bases:
        if text.startswith(base):
            return parse(text[len(base) :])
    if text.startswith("#"):
        return Reference(text, "contained", None, text[1:])
    if text.startswith("urn:"):
        return Reference(text, "urn")
    if "?" in text and is_resource_type(text.partition("?")[0]):
        return Reference(text, "conditional", text.partition("?")[0])
    type, id, version = _place(text)
    if "://" in text:
        return Reference(text, "absolute", type, id, version)
    if type is not None and text.count("/") == (1 if version is None else 3):
        return Reference(text, "local", type, id, version)
    return Reference(text, "other")


def _place(text: str) -> tuple[str | None, str | None, str | None]:
    """(type, id, version) at the end of an address; all None when it does not end in them."""
    address, _, version = text.partition("/_history/")
    parts = address.rsplit("/", 2)[-2:]
    if len(parts) == 2 and is_resource_type(parts[0]) and ID.fullmatch(parts[1]):
        return parts[0], parts[1], version or None
    return None, None, None


def references(node: Any) -> Iterator[Json]:
    """Every Reference object (with a `reference`) anywhere in a resource."""
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def rewrite(resource: Json, mapping: Mapping[str, str]) -> Json:
    """A resource in which references, uris and links in narrative that are keys of `mapping` have its values.

    As a transaction asks (https://hl7.org/fhir/R4/http.html#trules); what does not change is shared, not copied.
    """
    changed: Json = _rewritten(resource, "", mapping) if mapping else resource
    return changed


def _rewritten(value: Any, name: str, mapping: Mapping[str, str]) -> Any:
    kind = value.__class__
    if kind is str:
        return _text(value, name, mapping)
    if kind is dict:
        changed: Json = {}
        for key, old in value.items():
            if old.__class__ in _HOLDS and (new := _rewritten(old, key, mapping)) is not old:
                changed[key] = new
        return value | changed if changed else value
    if kind is list:
        items = [_rewritten(item, name, mapping) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _text(value: str, name: str, mapping: Mapping[str, str]) -> str:
    if name == "div":
        return _relinked(value, mapping)
    return mapping[value] if value in mapping and name in _uri_names() else value


def _relinked(narrative: str, mapping: Mapping[str, str]) -> str:
    new = _LINK.sub(lambda link: link[1] + mapping.get(link[2], link[2]), narrative)
    return narrative if new == narrative else new


@cache
def _uri_names() -> frozenset[str]:
    """Names of elements that hold a uri in some type, and Reference.reference."""
    data = (files("commonweal.fhir") / "definitions" / "uris.json").read_bytes()
    return frozenset(msgspec.json.decode(data)["names"]) | {"reference"}

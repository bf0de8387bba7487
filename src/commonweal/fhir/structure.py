"""Whether a parsed resource and all those inside it are well formed, quickly when they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import msgspec

from commonweal.fhir import types
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import Issue, Json, issue
from commonweal.fhir.primitives import admit, form_of
from commonweal.fhir.walk import walk

_encode = msgspec.json.Encoder(decimal_format="number").encode


@cache
def class_of(name: str) -> type[msgspec.Struct]:
    """The generated class of a resource type or complex type."""
    return cast("type[msgspec.Struct]", getattr(types, name))


def issues_of(resource: Any, path: str = "", text: bytes = b"") -> list[Issue]:
    """What is wrong with the structure of a resource and of those inside it, up to LIMITS.issues.

    `path` is its place; without one it stands alone and its type is its place. `text` spares writing it again.
    """
    if type(resource) is not dict:
        return [issue("cw-wrong-type", path, wanted="a resource", got=form_of(resource))]
    kind = resource.get("resourceType")
    if type(kind) is not str or kind not in RESOURCE_TYPES:
        return [issue("cw-not-a-resource", path, why=f"there is no resource type {kind!r:.40}")]
    issues = [] if is_plain(resource, text or _encode(resource)) else walk(resource, path or kind)
    for count, (inner, place) in enumerate(inside(resource, path or kind)):
        if count >= LIMITS.entries:
            return [*issues, issue("cw-too-many", path or kind, limit=LIMITS.entries, what="resources")]
        if len(issues) >= LIMITS.issues:
            break
        issues += issues_of(inner, place)
    return issues


def is_plain(resource: Json, text: bytes) -> bool:
    """Whether one conversion shows that a resource is well formed; if it does not, the walk decides.

    The classes take null for what is absent, and an empty object where nothing is required: text that might
    hold either is left to the walk.
    """
    if b"null" in text or b"{}" in text:
        return False
    try:
        msgspec.convert(resource, class_of(resource["resourceType"]), dec_hook=admit)
    except msgspec.ValidationError:
        return False
    return True


def inside(resource: Json, path: str) -> Iterator[tuple[Any, str]]:
    """What stands where resources belong, with its place; tolerant, for the outer one may be malformed."""
    if "contained" in resource:
        yield from _each(resource, "contained", path)
    if resource["resourceType"] == "Bundle":
        for entry, place in _each(resource, "entry", path):
            yield from _one(entry, "resource", place)
            response = entry.get("response") if type(entry) is dict else None
            yield from _one(response, "outcome", f"{place}.response")
    if resource["resourceType"] == "Parameters":
        yield from _parameters(resource, "parameter", path)


def _parameters(owner: Any, name: str, path: str) -> Iterator[tuple[Any, str]]:
    for parameter, place in _each(owner, name, path):
        yield from _one(parameter, "resource", place)
        yield from _parameters(parameter, "part", place)


def _each(owner: Any, name: str, path: str) -> Iterator[tuple[Any, str]]:
    items = owner.get(name) if type(owner) is dict else None
    for index, item in enumerate(items if type(items) is list else ()):
        yield item, f"{path}.{name}[{index}]"


def _one(owner: Any, name: str, path: str) -> Iterator[tuple[Any, str]]:
    if type(owner) is dict and name in owner:
        yield owner[name], f"{path}.{name}"

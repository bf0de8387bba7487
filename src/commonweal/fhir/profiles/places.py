"""Where the elements that a profile speaks of stand in a resource, each with its type and its path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from commonweal.fhir.elements import has_elements, is_resource_type
from commonweal.fhir.walk import shape

Json = dict[str, Any]
_EXTENSION = re.compile(r"extension\('([^']+)'\)")


class Place(NamedTuple):
    """A value and what its `_name` half holds; `type` leads to its elements ("Patient.contact")."""

    value: Any
    half: Json
    type: str
    path: str

    @property
    def kind(self) -> str:
        """The type that a profile would call it by."""
        return "BackboneElement" if "." in self.type else self.type


def root(resource: Json, path: str) -> Place:
    return Place(resource, {}, resource["resourceType"], path)


def children(place: Place, name: str) -> list[Place]:
    """The values of one element, by its name, that of its choice ("value[x]"), or of one form of that."""
    owner, type = (place.value, place.type) if isinstance(place.value, dict) else (place.half, "Element")
    return list(_children(owner, type, name.removesuffix("[x]"), place.path)) if has_elements(type) else []


def _children(owner: Json, type: str, name: str, path: str) -> Iterator[Place]:
    for key, form in shape(type).forms.items():
        if form.extends or (key not in owner and f"_{key}" not in owner):
            continue
        if name in (form.element.name, key):
            kind = form.element.path or form.type
            where = f"{path}.{form.step}"
            yield from _occurrences(owner.get(key), owner.get(f"_{key}"), kind, where, form.element.many)


def _occurrences(value: Any, half: Any, kind: str, path: str, many: bool) -> Iterator[Place]:
    if not many:
        yield _place(value, half, kind, path)
        return
    values, halves = value or [], half or []
    for at in range(max(len(values), len(halves))):
        yield _place(
            values[at] if at < len(values) else None,
            halves[at] if at < len(halves) else None,
            kind,
            f"{path}[{at}]",
        )


def _place(value: Any, half: Any, kind: str, path: str) -> Place:
    """What stands where any resource may stand is of its own type."""
    told = value.get("resourceType") if kind == "Resource" and isinstance(value, dict) else None
    return Place(value, half or {}, told if told and is_resource_type(told) else kind, path)


class Surroundings:
    """The resources that references within one resource can mean: contained ones, and others of its Bundle."""

    def __init__(self, resource: Json) -> None:
        self._known: dict[str, Json] = {}
        self._add(resource)

    def _add(self, resource: Json) -> None:
        for each in resource.get("contained", ()):
            self._known[f"#{each.get('id')}"] = each
        for entry in resource.get("entry", ()) if resource["resourceType"] == "Bundle" else ():
            inner = entry.get("resource")
            if inner is not None:
                self._known[entry.get("fullUrl", "")] = inner
                self._known[f"{inner['resourceType']}/{inner.get('id')}"] = inner
                self._add(inner)

    def resolve(self, place: Place) -> Place | None:
        """What a Reference means; None: it is not here."""
        text = place.value.get("reference") if isinstance(place.value, dict) else None
        found = self._known.get(text) if isinstance(text, str) else None
        return root(found, f"{place.path}.resolve()") if found is not None else None


def follow(place: Place, path: str, surroundings: Surroundings) -> list[Place] | None:
    """The values that a discriminator's path leads to; None when they are not here, or it is no such path.

    https://hl7.org/fhir/R4/profiling.html#discriminator
    """
    found = [place]
    for step in _steps(path):
        extension = _EXTENSION.fullmatch(step)
        if step == "$this":
            continue
        if step == "resolve()":
            meant = [surroundings.resolve(each) for each in found]
            if None in meant:
                return None
            found = [each for each in meant if each is not None]
        elif step.startswith("ofType("):
            found = [each for each in found if each.kind == step[len("ofType(") : -1]]
        elif extension:
            inner = [child for each in found for child in children(each, "extension")]
            found = [each for each in inner if each.value.get("url") == extension[1]]
        elif step.isalnum():
            found = [child for each in found for child in children(each, step)]
        else:
            return None
    return found


def _steps(path: str) -> list[str]:
    """The steps of a path; a dot within the address of an extension parts nothing."""
    return re.findall(r"extension\('[^']*'\)|[^.]+", path)

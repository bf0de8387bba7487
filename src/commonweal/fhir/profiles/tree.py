"""The elements of a profile as a tree: https://hl7.org/fhir/R4/elementdefinition.html#id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from commonweal.fhir.canonical import Lookup, split
from commonweal.fhir.elements import TYPES

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
BY_URL = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
BY_TYPE = {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}


@dataclass(slots=True)
class Node:
    """One element definition, with its children and slices by name; `name` ends in [x] where there is a choice."""

    name: str
    element: Json = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def slicing(self) -> Json:
        """How slices are told apart; where nothing is said, as everybody does it."""
        otherwise = BY_TYPE if self.name.endswith("[x]") else BY_URL
        found: Json = self.element.get("slicing") or otherwise
        return found

    @property
    def types(self) -> list[Json]:
        found: list[Json] = self.element.get("type", [])
        return found

    def stated(self) -> tuple[str, Any] | None:
        """("fixed" or "pattern", the value that the element is to have)."""
        for key, value in self.element.items():
            if key.startswith(("fixed", "pattern")):
                return ("fixed" if key.startswith("fixed") else "pattern"), value
        return None

    def child(self, name: str) -> Node | None:
        return self.children.get(name) or self.children.get(f"{name}[x]")


class Trees:
    """The trees of profiles, each made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Node] = {}

    def of(self, canonical: str, lookup: Lookup) -> Node | None:
        """The tree of a profile; None when it is not known here."""
        definition = None if canonical in self._made else lookup("StructureDefinition", canonical)
        if definition is not None:
            self._made[canonical] = _grown(definition, lookup)
        return self._made.get(canonical)


def core_type(canonical: str) -> str | None:
    """The type of R4 that a canonical names, if it is none of a profile."""
    name = split(canonical)[0].removeprefix(CORE)
    return name if name in TYPES else None


def _grown(definition: Json, lookup: Lookup) -> Node:
    root = Node(definition["type"])
    for id, element in _elements(definition, lookup, ()).items():
        node = root
        for segment in id.split(".")[1:]:
            node = _step(node, segment)
        node.element = element
    return root


def _step(node: Node, segment: str) -> Node:
    """The child, or its slice, or a slice of its slice, that a segment of an id names."""
    name, _, slices = segment.partition(":")
    node = node.children.setdefault(name, Node(name))
    for each in filter(None, slices.split("/")):
        node = node.slices.setdefault(each, Node(name))
    return node


def _elements(definition: Json, lookup: Lookup, within: tuple[str, ...]) -> dict[str, Json]:
    """The elements by id: of the snapshot, or of the differential over those of the profile it is based on."""
    url = definition.get("url", "")
    if "snapshot" in definition:
        return {_id(each): each for each in definition["snapshot"]["element"]}
    base = definition.get("baseDefinition", CORE)
    found: dict[str, Json] = {}
    if core_type(base) is None and base not in within:
        below = lookup("StructureDefinition", base)
        found = dict(_elements(below, lookup, (*within, url))) if below is not None else {}
    for each in definition.get("differential", {}).get("element", ()):
        known = found.get(_id(each), {})
        rules = [*known.get("constraint", ()), *each.get("constraint", ())]
        found[_id(each)] = known | each | ({"constraint": rules} if rules else {})
    return found


def _id(element: Json) -> str:
    """Its id; where it has none, its path and the name of its slice."""
    slice = f":{element['sliceName']}" if "sliceName" in element else ""
    found: str = element.get("id") or element["path"] + slice
    return found


def own_rules(element: Json) -> Iterator[Json]:
    """The invariants that a profile adds; those of R4's types are asked with the types."""
    for each in element.get("constraint", ()):
        if "expression" in each and core_type(each.get("source", "")) is None:
            yield each

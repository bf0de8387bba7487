"""The concepts of a CodeSystem and how they lie above each other: https://hl7.org/fhir/R4/codesystem.html#hierachy."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
USABLE = ("complete", "fragment", "example")
"""CodeSystem.content of those that hold concepts, all or some; the official expansions use the last two as well."""
HIERARCHIES = ("is-a", "grouped-by", "classified-with")
"""What nesting may mean that makes a code part of the code above it; not stated, it is taken so."""
KEPT = 20_000
"""Concepts of all systems together that are kept in mind."""


@dataclass(slots=True)
class Concept:
    """One concept; `parents` are the codes it lies directly below."""

    code: str
    display: str
    definition: str
    properties: tuple[tuple[str, str], ...]
    parents: list[str] = field(default_factory=list)

    @property
    def is_selectable(self) -> bool:
        """Abstract concepts only group others."""
        return not {("notSelectable", "true"), ("abstract", "true")}.intersection(self.properties)


class Codes:
    """The concepts of one CodeSystem by code."""

    def __init__(self, system: Json) -> None:
        self.url: str = system.get("url", "")
        self.concepts: dict[str, Concept] = {}
        self._children: dict[str, list[str]] = {}
        nests = system.get("hierarchyMeaning", "is-a") in HIERARCHIES
        for concept, parent in _walk(system.get("concept", ()), None):
            self.concepts[concept.code] = concept
            if parent and nests:
                concept.parents.append(parent)
        for concept in self.concepts.values():
            self._related(concept)
        for concept in self.concepts.values():
            for parent in concept.parents:
                self._children.setdefault(parent, []).append(concept.code)

    def _related(self, concept: Concept) -> None:
        """Hierarchy that is told by the properties parent and child."""
        for name, value in concept.properties:
            if name == "parent" and value in self.concepts and value not in concept.parents:
                concept.parents.append(value)
            child = self.concepts.get(value) if name == "child" else None
            if child is not None and concept.code not in child.parents:
                child.parents.append(concept.code)

    def below(self, code: str) -> dict[str, None]:
        """The code and all below it, itself first; nothing for an unknown one."""
        return self._reach(code, self._children)

    def above(self, code: str) -> dict[str, None]:
        """The code and all above it, itself first."""
        return self._reach(code, {each.code: each.parents for each in self.concepts.values()})

    def children(self, code: str) -> list[str]:
        return self._children.get(code, [])

    def _reach(self, code: str, steps: Mapping[str, list[str]]) -> dict[str, None]:
        found: dict[str, None] = {}
        pending = [code] if code in self.concepts else []
        while pending:
            each = pending.pop()
            if each not in found:
                found[each] = None
                pending += steps.get(each, ())
        return found


_kept: OrderedDict[int, tuple[Json, Codes]] = OrderedDict()


def codes(system: Json) -> Codes | None:
    """The concepts of a CodeSystem, worked out once for as long as it is in use; None when it holds none."""
    if system.get("content") not in USABLE:
        return None
    kept = _kept.get(id(system))
    if kept is None or kept[0] is not system:
        kept = (system, Codes(system))
        _kept[id(system)] = kept
        while sum(1 + len(each.concepts) for _, each in _kept.values()) > KEPT:
            _kept.popitem(last=False)
    return kept[1]


def _walk(concepts: Any, parent: str | None) -> Iterator[tuple[Concept, str | None]]:
    for each in concepts:
        properties = tuple(_property(property) for property in each.get("property", ()))
        display, definition = each.get("display", ""), each.get("definition", "")
        yield Concept(each["code"], display, definition, properties), parent
        yield from _walk(each.get("concept", ()), each["code"])


def _property(property: Json) -> tuple[str, str]:
    value = next((v for k, v in property.items() if k.startswith("value")), "")
    if isinstance(value, dict):
        value = value.get("code", "")
    return property["code"], str(value).lower() if isinstance(value, bool) else str(value)

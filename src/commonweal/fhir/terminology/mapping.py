"""From a code to those it is mapped to: https://hl7.org/fhir/R4/conceptmap-operation-translate.html."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
UNMATCHED = ("unmatched", "disjoint")


@dataclass(frozen=True, slots=True)
class Match:
    """One target; `equivalence` is said of the target, from the source's point of view."""

    equivalence: str
    system: str
    code: str
    display: str

    @property
    def is_match(self) -> bool:
        return self.equivalence not in UNMATCHED


def translate(concept_map: Json, system: str, code: str, target: str | None = None) -> list[Match]:
    """What the map says of the code, within one target system if it is named; its fallback where it says nothing."""
    found: list[Match] = []
    for group in concept_map.get("group", ()):
        if group.get("source", system) == system and target in (None, group.get("target")):
            found += _matches(group, code)
    return found


def _matches(group: Json, code: str) -> Iterator[Match]:
    system = group.get("target", "")
    mapped = [each for each in group.get("element", ()) if each.get("code") == code]
    for each in (target for element in mapped for target in element.get("target", ())):
        yield Match(each["equivalence"], system, each.get("code", ""), each.get("display", ""))
    fallback = group.get("unmapped", {})
    if not mapped and fallback.get("mode") == "provided":
        yield Match("equivalent", system, code, "")
    elif not mapped and fallback.get("mode") == "fixed":
        yield Match("inexact", system, fallback.get("code", ""), fallback.get("display", ""))

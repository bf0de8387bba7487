"""The official definitions as the small model the generators print: https://hl7.org/fhir/R4/downloads.html."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
CANONICAL = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_TYPE = "http://hl7.org/fhirpath/"
R4 = "4.0.1"
STRUCTURAL = {"ele-1", "txt-1"}
"""Invariants that every well-formed resource keeps: no empty element, safe narrative."""
CORRECTIONS = Path(__file__).with_name("r4_corrections.json")


@dataclass
class Slot:
    """One element definition; the fields are those of `commonweal.fhir.elements.Element`, in its order."""

    name: str
    types: list[str]
    many: bool
    required: bool
    choice: bool
    summary: bool
    modifier: bool
    attribute: bool
    binding: str
    strength: str
    targets: list[str]
    path: str

    def forms(self) -> list[tuple[str, str]]:
        """(JSON name, type) of each form the element takes."""
        if not self.choice:
            return [(self.name, self.types[0])]
        return [(self.name + kind[0].upper() + kind[1:], kind) for kind in self.types]


@dataclass
class Constraint:
    """One invariant; `element` names the child it is asked of, "" the shape itself."""

    element: str
    key: str
    severity: str
    human: str
    expression: str


@dataclass
class Shape:
    """One type or backbone element with what is its own, nothing inherited."""

    path: str
    base: str
    slots: list[Slot] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)


@dataclass
class Definitions:
    hierarchy: dict[str, tuple[str, str, bool]]
    """Type → what it specialises, its kind, whether it is abstract."""
    shapes: dict[str, Shape]
    codes: dict[str, dict[str, list[str]]]
    """Value set → system → codes, of required bindings whose codes can be listed."""


def load(folder: Path) -> Definitions:
    structures = list(_structures(folder))
    hierarchy = {each["type"]: (_base(each), each["kind"], each["abstract"]) for each in structures}
    shapes = {shape.path: shape for structure in structures for shape in _shapes(structure)}
    slots = [slot for shape in shapes.values() for slot in shape.slots]
    required = {slot.binding for slot in slots if slot.strength == "required"}
    return Definitions(hierarchy, shapes, _codes(folder, required))


def _read(folder: Path, name: str) -> Iterator[Json]:
    with lzma.open(folder / f"{name}.ndjson.xz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _structures(folder: Path) -> Iterator[Json]:
    """Types and resources of R4 itself: no profiles, no logical models, nothing of a later edition."""
    for name in ("profiles-types", "profiles-resources"):
        for each in _read(folder, name):
            specialises = each.get("derivation") != "constraint" and each.get("kind") != "logical"
            if each["resourceType"] == "StructureDefinition" and specialises and each["version"] == R4:
                yield _corrected(each)


def _corrected(structure: Json) -> Json:
    """As R4 has it: without the elements that the source adds, with those that it changed or left out."""
    corrections = json.loads(CORRECTIONS.read_text(encoding="utf-8"))
    right = {each["path"]: each for each in corrections["elements"]}
    dropped = tuple(corrections["drop"])
    inside = tuple(f"{path}." for path in dropped)
    found = structure["snapshot"]["element"]
    kept = [right.get(each["path"], each) for each in found if each["path"] not in dropped]
    kept = [each for each in kept if not each["path"].startswith(inside)]
    for each in corrections["elements"]:
        place = [index for index, other in enumerate(kept) if other["path"] == each.get("after")]
        if place:
            kept.insert(place[0] + 1, each)
    return structure | {"snapshot": {"element": kept}}


def _base(structure: Json) -> str:
    return str(structure.get("baseDefinition", "")).removeprefix(CANONICAL)


def _shapes(structure: Json) -> list[Shape]:
    """The type itself, then its backbone elements."""
    found = structure["snapshot"]["element"]
    parents = {each["path"].rpartition(".")[0] for each in found}
    shapes: dict[str, Shape] = {}
    for element in found:
        path, (parent, _, name) = element["path"], element["path"].rpartition(".")
        if path in parents:
            shapes[path] = Shape(path, element["type"][0]["code"] if parent else _base(structure))
        own = element["base"]["path"] == path and structure["kind"] != "primitive-type"
        if parent and own:
            shapes[parent].slots.append(_slot(element, path if path in parents else ""))
        holder = shapes[path if path in parents else parent]
        holder.constraints += _constraints(element, "" if path in parents else name, structure["url"])
    return list(shapes.values())


def _slot(element: Json, path: str) -> Slot:
    name = element["path"].rpartition(".")[2]
    types = element.get("type", [])
    binding = element.get("binding", {})
    bound = binding.get("strength") in ("required", "extensible") and "valueSet" in binding
    return Slot(
        name=name.removesuffix("[x]"),
        types=["id"] if element["path"] == "Resource.id" else _types(types),
        many=element["max"] == "*",
        required=element["min"] > 0,
        choice=name.endswith("[x]"),
        summary=element.get("isSummary", False),
        modifier=element.get("isModifier", False),
        attribute=any(each["code"].startswith(SYSTEM_TYPE) for each in types),
        binding=binding["valueSet"].partition("|")[0] if bound else "",
        strength=binding["strength"] if bound else "",
        targets=_targets(types),
        path=element.get("contentReference", "").removeprefix("#") or path,
    )


def _types(types: list[Json]) -> list[str]:
    return [_type(each) for each in types] or ["BackboneElement"]


def _type(entry: Json) -> str:
    told = [each["valueUrl"] for each in entry.get("extension", []) if "valueUrl" in each]
    return str(told[0] if entry["code"].startswith(SYSTEM_TYPE) and told else entry["code"])


def _targets(types: list[Json]) -> list[str]:
    profiles = [profile for each in types for profile in each.get("targetProfile", [])]
    found = [profile.removeprefix(CANONICAL) for profile in profiles]
    return [] if "Resource" in found else found


def _constraints(element: Json, name: str, url: str) -> list[Constraint]:
    """Those that this very element adds: what its type brings along names its type as the source."""
    return [
        Constraint(name, each["key"], each["severity"], each["human"], _singular(each["expression"]))
        for each in element.get("constraint", [])
        if "expression" in each and each.get("source", url) == url and each["key"] not in STRUCTURAL
    ]


def _singular(expression: str) -> str:
    """R4 wrote dom-3 when `as` still filtered; it takes a single item now, and `ofType` filters."""
    return expression.replace("descendants().as(", "descendants().ofType(")


def _codes(folder: Path, required: set[str]) -> dict[str, dict[str, list[str]]]:
    """From the expansions; where there is none, from a value set that lists its codes itself."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in _read(folder, "valuesets"):
        if each.get("url") in required and each["resourceType"] == "ValueSet":
            found[each["url"]] = _listed(each)
    for each in _read(folder, "expansions"):
        if each["url"] in required:
            found[each["url"]] = _expanded(each["expansion"])
    return {url: codes for url, codes in sorted(found.items()) if codes}


def _listed(value_set: Json) -> dict[str, list[str]]:
    include = value_set.get("compose", {}).get("include", [])
    if not all("concept" in each for each in include):
        return {}
    return {each["system"]: [concept["code"] for concept in each["concept"]] for each in include}


def _expanded(expansion: Json) -> dict[str, list[str]]:
    contains = expansion.get("contains", [])
    if expansion.get("total", 0) > len(contains):
        return {}
    codes: dict[str, list[str]] = {}
    for each in contains:
        codes.setdefault(each["system"], []).append(each["code"])
    return codes

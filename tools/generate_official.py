"""Derive fhir/definitions/official.jsonl.xz, profiles and code systems of R4: https://hl7.org/fhir/R4/profilelist.html."""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from generate_search import ROOT, SOURCE, read

from commonweal.fhir.elements import elements, model_lines

TARGET = ROOT / "src" / "commonweal" / "fhir" / "definitions" / "official.jsonl.xz"
OURS = ("http://hl7.org/fhir/", "http://terminology.hl7.org/")
"""Namespaces of HL7, whose FHIR content is CC0; of other owners' terminologies nothing is kept."""
FREE = ("http://unitsofmeasure.org", "urn:ietf:bcp:47", "urn:ietf:bcp:13", "urn:iso:std:iso:4217")
"""Systems of others of which value sets list codes that anybody may use."""
KEPT = {
    "CodeSystem": ("url", "version", "name", "content", "hierarchyMeaning", "caseSensitive", "concept"),
    "ValueSet": ("url", "version", "name", "compose"),
    "StructureDefinition": ("url", "version", "name", "type", "baseDefinition", "differential"),
}
RULES = (
    *("id", "path", "sliceName", "slicing", "min", "max", "type", "maxLength", "constraint", "binding"),
    *("contentReference",),
)
"""Of an ElementDefinition what a validator asks; with it anything fixed or by pattern."""
Json = dict[str, Any]


def main(source: Path = SOURCE, target: Path = TARGET) -> None:
    found: dict[tuple[str, str], Json] = {}
    for each in (e for name in ("v2-tables", "v3-codesystems", "valuesets") for e in read(source, name)):
        if each["url"].startswith(OURS):
            found[each["resourceType"], each["url"]] = each
    asked = {key for key, each in found.items() if key[0] == "ValueSet" and each.get("version") == "4.0.1"}
    asked |= {("ValueSet", binding) for binding in _bindings()}
    profiles = {(each["resourceType"], each["url"]): each for each in _profiles(source)}
    wanted = {key for key in _closed(asked, found) if _is_free(key, found)} | profiles.keys()
    found |= profiles
    lines = [json.dumps([*key, _reduced(found[key])], separators=(",", ":")) for key in sorted(wanted)]
    target.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))


def _profiles(source: Path) -> Iterator[Json]:
    for each in (e for name in ("profiles-types", "profiles-others") for e in read(source, name)):
        if each.get("derivation") == "constraint" and each["version"] == "4.0.1":
            yield each


def _bindings() -> Iterator[str]:
    """The value sets that elements of R4 are bound to."""
    for path in model_lines("elements.jsonl"):
        yield from (element.binding for element in elements(path).values() if element.binding)


def _closed(keys: Iterable[tuple[str, str]], found: dict[tuple[str, str], Json]) -> set[tuple[str, str]]:
    """These and everything they are made of."""
    closed: set[tuple[str, str]] = set()
    pending = [*keys]
    while pending:
        key = pending.pop()
        if key in found and key not in closed:
            closed.add(key)
            pending += _parts(found[key])
    return closed


def _parts(resource: Json) -> Iterator[tuple[str, str]]:
    for each in _sets(resource):
        if "system" in each:
            yield "CodeSystem", each["system"]
        yield from (("ValueSet", url.partition("|")[0]) for url in each.get("valueSet", ()))


def _sets(resource: Json) -> list[Json]:
    compose = resource.get("compose", {})
    return [*compose.get("include", ()), *compose.get("exclude", ())]


def _is_free(key: tuple[str, str], found: dict[tuple[str, str], Json]) -> bool:
    """Is all that it takes to list its codes here?"""
    systems = [each.get("system", OURS[0]) for each in _sets(found[key])]
    is_known = all(part in found or part[1].startswith(FREE) for part in _parts(found[key]))
    return is_known and all(system.startswith((*OURS, *FREE)) for system in systems)


def _reduced(resource: Json) -> Json:
    kept = {name: resource[name] for name in KEPT[resource["resourceType"]] if name in resource}
    if "differential" in kept:
        kept["differential"] = {"element": [_element(each) for each in kept["differential"]["element"]]}
    if "concept" in kept:
        kept["concept"] = [_concept(each) for each in kept["concept"]]
    if "compose" in kept:
        kept["compose"] = {
            name: [_set(each) for each in sets]
            for name, sets in kept["compose"].items()
            if type(sets) is list
        }
    return {"resourceType": resource["resourceType"], **kept}


def _element(element: Json) -> Json:
    return {k: v for k, v in element.items() if k in RULES or k.startswith(("fixed", "pattern"))}


def _concept(concept: Json) -> Json:
    kept = {name: concept[name] for name in ("code", "display", "property") if name in concept}
    return kept | ({"concept": list(map(_concept, concept["concept"]))} if "concept" in concept else {})


def _set(each: Json) -> Json:
    kept = {name: each[name] for name in ("system", "version", "filter", "valueSet") if name in each}
    return kept | ({"concept": list(map(_concept, each["concept"]))} if "concept" in each else {})


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

"""Derive fhir/definitions/search.json and compartments.json: https://hl7.org/fhir/R4/searchparameter-registry.html."""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from commonweal.fhir.elements import RESOURCE_TYPES, elements, has_elements
from commonweal.fhir.search.paths import alternatives

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT.parent / "shared" / "data" / "fhir-r4-definitions"
TARGET = ROOT / "src" / "commonweal" / "fhir" / "definitions"
ABOUT = (
    "{what} of HL7 FHIR R4 (4.0.1, https://hl7.org/fhir/R4), reduced to what we use. FHIR is published by HL7 "
    "under Creative Commons CC0 1.0 (public domain); FHIR is a trademark of HL7."
)
Json = dict[str, Any]
ANY = 140
"""A parameter with so many targets may point to anything."""
URI_TYPES = {"uri", "url", "canonical", "oid", "uuid"}


def main(source: Path = SOURCE, target: Path = TARGET) -> None:
    systems = {
        each["url"]: _systems(each)
        for each in read(source, "valuesets")
        if each["resourceType"] == "ValueSet"
    }
    rows = [_row(each, systems) for each in read(source, "search-parameters") if each["version"] == "4.0.1"]
    _write(target / "search.json", "Search parameters", "parameters", rows)
    definitions = [
        r for r in read(source, "profiles-resources") if r["resourceType"] == "CompartmentDefinition"
    ]
    _write(
        target / "compartments.json", "Compartments", "compartments", sorted(map(_compartment, definitions))
    )
    _write(target / "uris.json", "Names of the elements that hold a uri", "names", sorted(set(_uri_names())))


def read(folder: Path, name: str) -> Iterator[Json]:
    with lzma.open(folder / f"{name}.ndjson.xz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _write(path: Path, what: str, name: str, rows: Iterable[Any]) -> None:
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    path.write_text(f'{{"about":{json.dumps(ABOUT.format(what=what))},\n"{name}":[\n{lines}\n]}}\n')


def _row(parameter: Json, systems: dict[str, list[str]]) -> Json:
    """The SearchParameter with the elements we use, and `implied`: systems of plain codes by base."""
    kept = ("url", "code", "type", "base", "expression", "target")
    row = {key: parameter[key] for key in kept if key in parameter}
    if len(row.get("target", ())) >= ANY:
        del row["target"]
    if "component" in parameter:
        row["component"] = [{k: c[k] for k in ("definition", "expression")} for c in parameter["component"]]
    if parameter["type"] == "token" and "expression" in parameter:
        implied = {base: _implied(parameter["expression"], base, systems) for base in parameter["base"]}
        row |= (
            {"implied": found} if (found := {base: names for base, names in implied.items() if names}) else {}
        )
    return row


def _implied(expression: str, base: str, systems: dict[str, list[str]]) -> list[str]:
    """Systems of the value set behind a parameter whose every element is a `code` with a required binding."""
    found: dict[str, None] = {}
    for alternative in alternatives(expression, base):
        bound = _binding(alternative)
        if not bound:
            return []
        found |= dict.fromkeys(systems.get(bound, ()))
    return list(found)


def _binding(path: str) -> str:
    where, *names = path.split(".")
    for name in names:
        if not has_elements(where) or name not in elements(where):
            return ""
        element = elements(where)[name]
        where = element.path or element.types[0]
    return element.binding if names and element.types == ("code",) and element.strength == "required" else ""


def _systems(value_set: Json) -> list[str]:
    return [each["system"] for each in value_set.get("compose", {}).get("include", ()) if "system" in each]


def _compartment(definition: Json) -> list[Any]:
    """[name, parameters by type]; "{def}" says that the type is the compartment itself, which is known."""
    inside = {
        each["code"]: [p for p in each.get("param", ()) if p != "{def}"] for each in definition["resource"]
    }
    return [definition["code"], {type: names for type, names in sorted(inside.items()) if names}]


def _uri_names() -> Iterator[str]:
    """JSON names under which some resource or datatype holds a uri of any kind."""
    pending, seen = [*RESOURCE_TYPES], set(RESOURCE_TYPES)
    while pending:
        for element in elements(pending.pop()).values():
            yield from (name for name, type in element.forms() if type in URI_TYPES)
            more = {each for each in (element.path, *element.types) if each and has_elements(each)} - seen
            seen |= more
            pending += sorted(more)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

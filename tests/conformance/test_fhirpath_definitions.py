"""Every invariant and search parameter of FHIR R4 compiles, https://hl7.org/fhir/R4/conformance-rules.html."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from commonweal.fhir.fhirpath import PathError, compile

FILES = (
    "profiles-resources",
    "profiles-types",
    "profiles-others",
    "extension-definitions",
    "search-parameters",
)
# Written for later types than R4 knows, as it stands in an extension's snapshot.
NOT_R4 = ("Citation",)


def expressions(folder: Path) -> Iterator[str]:
    for name in FILES:
        with lzma.open(folder / f"{name}.ndjson.xz", "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from of_definition(json.loads(line))


def of_definition(definition: dict[str, Any]) -> Iterator[str]:
    if definition["resourceType"] == "SearchParameter" and "expression" in definition:
        yield definition["expression"]
    for element in definition.get("snapshot", {}).get("element", ()):
        for rule in element.get("constraint", ()):
            if "expression" in rule:
                yield rule["expression"]


def compiles(expression: str) -> bool:
    try:
        compile(expression)
    except PathError:
        return False
    return True


def test_every_official_expression_compiles(shared_data: Path) -> None:
    every = set(expressions(shared_data / "fhir-r4-definitions"))
    refused = [one for one in every if not compiles(one)]
    assert len(every) > 1500
    assert [one for one in refused if not any(name in one for name in NOT_R4)] == []
    assert len(refused) == 1

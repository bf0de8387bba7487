"""Derive fhir/definitions/ucum.json from the UCUM essence: https://ucum.org/ucum#section-Tables-of-Terminal-Symbols."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT.parent / "shared" / "data" / "ucum" / "ucum-essence.xml.gz"
TARGET = ROOT / "src" / "commonweal" / "fhir" / "definitions" / "ucum.json"
NAMESPACE = {"u": "http://unitsofmeasure.org/ucum-essence"}
ABOUT = (
    "Units and prefixes of UCUM {version} ({date}), from ucum-essence.xml: code, value, unit, metric. UCUM is "
    "the property of Regenstrief Institute, Inc. and the UCUM Organization, used under the UCUM licence "
    "(https://ucum.org/license); the meaning of no unit is altered. Units that are arbitrary or measured on "
    "a logarithmic or trigonometric scale stand for themselves (unit null)."
)
AFFINE = {"Cel", "degF", "degRe"}


def main(source: Path = SOURCE, target: Path = TARGET) -> None:
    root = ElementTree.fromstring(gzip.decompress(source.read_bytes()))
    prefixes = {each.attrib["Code"]: _value(each)["value"] for each in root.findall("u:prefix", NAMESPACE)}
    units = {each.attrib["Code"]: [None, None, True] for each in root.findall("u:base-unit", NAMESPACE)}
    units |= {each.attrib["Code"]: _unit(each) for each in root.findall("u:unit", NAMESPACE)}
    about = ABOUT.format(version=root.attrib["version"], date=root.attrib["revision-date"])
    lines = ",\n".join(f"{json.dumps(code)}:{json.dumps(row)}" for code, row in units.items())
    target.write_text(
        f'{{"about":{json.dumps(about)},\n"prefixes":{json.dumps(prefixes)},\n"units":{{\n{lines}\n}}}}\n'
    )


def _value(element: ElementTree.Element) -> dict[str, str]:
    value = element.find("u:value", NAMESPACE)
    assert value is not None
    function = value.find("u:function", NAMESPACE)
    return value.attrib | ({} if function is None else function.attrib)


def _unit(element: ElementTree.Element) -> list[object]:
    value = _value(element)
    metric = element.attrib.get("isMetric") == "yes"
    itself = element.attrib.get("isArbitrary") == "yes" and value["Unit"] == "1"
    if itself or ("name" in value and value["name"] not in AFFINE):
        return [None, None, metric]
    return [value["value"], value["Unit"], metric]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

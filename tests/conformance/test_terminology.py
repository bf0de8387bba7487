"""Value sets, code systems and maps: https://hl7.org/fhir/R4/terminology-module.html and those of each case."""

import json
import lzma
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commonweal.fhir.official import _read, official
from commonweal.fhir.outcome import Problem
from commonweal.fhir.terminology import (
    NotExpandable,
    above,
    below,
    codes,
    contains,
    expand,
    translate,
)
from commonweal.fhir.terminology.codes import _kept
from commonweal.fhir.terminology.subsuming import known, relation

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
COLOURS = "http://example.org/colours"


def concept(code: str, *below: Json, **words: Any) -> Json:
    return {"code": code, "display": code.title(), **words} | ({"concept": list(below)} if below else {})


SYSTEM: Json = {
    "resourceType": "CodeSystem",
    "url": COLOURS,
    "content": "complete",
    "concept": [
        concept("warm", concept("red", concept("crimson")), concept("yellow")),
        concept("cold", concept("blue"), property=[{"code": "notSelectable", "valueBoolean": True}]),
        concept(
            "teal", property=[{"code": "parent", "valueCode": "blue"}, {"code": "year", "valueInteger": 1917}]
        ),
    ],
}
SETS: dict[str, Json] = {
    "reds": {
        "include": [{"system": COLOURS, "filter": [{"property": "concept", "op": "is-a", "value": "red"}]}]
    },
    "loop": {"include": [{"valueSet": ["loop"]}]},
    "far": {"include": [{"system": "http://elsewhere.org"}]},
    "half": {"include": [{"system": COLOURS}, {"system": "http://elsewhere.org"}]},
}


def lookup(type: str, canonical: str) -> Json | None:
    if type == "CodeSystem":
        return SYSTEM if canonical == COLOURS else None
    return (
        {"resourceType": "ValueSet", "url": canonical, "compose": SETS[canonical]}
        if canonical in SETS
        else None
    )


def made(*include: Json, **words: Any) -> Json:
    return {"resourceType": "ValueSet", "compose": {"include": list(include), **words}}


def of(**words: Any) -> Json:
    return {"system": COLOURS, **words}


def where(property: str, op: str, value: str) -> Json:
    return of(filter=[{"property": property, "op": op, "value": value}])


@pytest.mark.parametrize(
    "value_set, codes",
    [
        (made(of()), "warm red crimson yellow blue teal"),
        (made(of(concept=[{"code": "red"}, {"code": "mauve"}])), "red mauve"),
        (made(where("concept", "is-a", "red")), "red crimson"),
        (made(where("concept", "is-a", "cold")), "blue teal"),
        (made(where("concept", "descendent-of", "red")), "crimson"),
        (made(where("concept", "is-not-a", "warm")), "blue teal"),
        (made(where("concept", "generalizes", "crimson")), "warm red crimson"),
        (made(where("code", "in", "red, blue")), "red blue"),
        (made(where("code", "not-in", "red,blue,warm")), "crimson yellow teal"),
        (made(where("parent", "=", "warm")), "red yellow"),
        (made(where("year", "=", "1917")), "teal"),
        (made(where("year", "exists", "false")), "warm red crimson yellow blue"),
        (made(of(), exclude=[where("concept", "is-a", "warm")]), "blue teal"),
        (made({"valueSet": ["reds"]}), "red crimson"),
        (made(of(valueSet=["reds"])), "red crimson"),
        (made(of(concept=[{"code": "crimson"}, {"code": "blue"}], valueSet=["reds"])), "crimson"),
        (made(of(), of()), "warm red crimson yellow blue teal"),
        (
            {"expansion": {"contains": [{"system": COLOURS, "code": "red", "contains": [of(code="blue")]}]}},
            "red blue",
        ),
    ],
)
def test_what_a_value_set_holds(value_set: Json, codes: str) -> None:
    """https://hl7.org/fhir/R4/valueset.html#compositions"""
    assert [code for _, code in expand(value_set, lookup)] == codes.split()
    for code in (*SYSTEM_CODES, "mauve"):
        assert contains(value_set, COLOURS, code, lookup) is (code in codes.split())


SYSTEM_CODES = ["warm", "red", "crimson", "yellow", "cold", "blue", "teal"]


@pytest.mark.parametrize(
    "value_set, why",
    [
        (made({"system": "http://elsewhere.org"}), "code system http://elsewhere.org is not here"),
        (made({"valueSet": ["nowhere"]}), "value set nowhere is not here"),
        (made({"valueSet": ["loop"]}), "includes itself"),
        (made(where("code", "regex", "(a+)+")), "'regex' is not supported"),
        ({"resourceType": "ValueSet"}, "does not say"),
        ({"expansion": {"total": 5, "contains": [of(code="red")]}}, "does not say"),
    ],
)
def test_what_cannot_be_listed(value_set: Json, why: str) -> None:
    with pytest.raises(NotExpandable, match=why.replace("(", ".")):
        expand(value_set, lookup)


def test_a_value_set_beyond_all_bounds_is_too_costly() -> None:
    many = [{"code": f"c{number}"} for number in range(10_001)]
    with pytest.raises(Problem) as refused:
        expand(made(of(concept=many)), lookup)
    assert refused.value.issues[0].code == "too-costly"


def chained(url: str, breadth: int, steps: int) -> Json:
    """The value set `number`, which takes the next one so many times; the last one holds red."""
    number = int(url)
    inner: Json = {"valueSet": [str(number + 1)]} if number < steps else of(concept=[{"code": "red"}])
    return {"resourceType": "ValueSet", "url": url, "compose": {"include": [inner] * breadth}}


@pytest.mark.parametrize("breadth, steps", [(2, 24), (1, 150)])
def test_value_sets_that_multiply_or_nest_without_end_are_too_costly(breadth: int, steps: int) -> None:
    """A few small value sets, each taking the next one twice, would otherwise be looked at 16 million times."""

    def sets(type: str, canonical: str) -> Json:
        return chained(canonical, breadth, steps)

    for asked in (expand, lambda value_set, sets: contains(value_set, COLOURS, "mauve", sets)):
        with pytest.raises(Problem) as refused:
            asked(chained("0", breadth, steps), sets)
        assert refused.value.issues[0].code == "too-costly"
    assert expand(chained("0", 2, 5), lambda _, url: chained(url, 2, 5)) == {(COLOURS, "red"): ""}


def test_many_filters_on_a_large_system_are_too_costly() -> None:
    system = {**SYSTEM, "concept": [{"code": f"c{number}"} for number in range(9_000)]}
    many = made(*[of(filter=[{"property": "code", "op": "=", "value": "c1"}] * 20)] * 20)
    with pytest.raises(Problem) as refused:
        expand(many, lambda type, canonical: system)
    assert refused.value.issues[0].code == "too-costly"


@pytest.mark.parametrize(
    "system, code, said",
    [
        (COLOURS, "red", True),
        (None, "red", True),
        (COLOURS, "mauve", False),
        ("http://third.org", "red", False),
        ("http://elsewhere.org", "red", None),
        (None, "mauve", None),
    ],
)
def test_membership_where_a_system_is_not_here(system: str | None, code: str, said: bool | None) -> None:
    """What lies in a system that is here can be told, whatever else the value set holds."""
    value_set = {"resourceType": "ValueSet", "compose": SETS["half"]}
    assert contains(value_set, system, code, lookup) is said


def test_codes_below_and_above() -> None:
    """https://hl7.org/fhir/R4/codesystem.html#subsumption"""
    assert below(COLOURS, "warm", lookup) == ["warm", "yellow", "red", "crimson"]
    assert set(above(COLOURS, "teal", lookup)) == {"teal", "blue", "cold"}
    with pytest.raises(ValueError, match="no code of"):
        below(COLOURS, "mauve", lookup)
    with pytest.raises(ValueError, match="is not here"):
        above("http://elsewhere.org", "x", lookup)


@pytest.mark.parametrize(
    "first, second, said",
    [
        ("red", "red", "equivalent"),
        ("warm", "crimson", "subsumes"),
        ("teal", "cold", "subsumed-by"),
        ("red", "blue", "not-subsumed"),
    ],
)
def test_subsumption(first: str, second: str, said: str) -> None:
    """https://hl7.org/fhir/R4/codesystem-operation-subsumes.html"""
    assert relation(known(COLOURS, lookup), first, second) == said


def test_translation() -> None:
    """https://hl7.org/fhir/R4/conceptmap-operation-translate.html"""
    target = {"equivalence": "wider", "code": "R", "display": "Rot"}
    group = {
        "source": COLOURS,
        "target": "http://example.org/farben",
        "element": [
            {"code": "crimson", "target": [target]},
            {"code": "teal", "target": [{"equivalence": "unmatched"}]},
        ],
        "unmapped": {"mode": "fixed", "code": "?", "display": "Unbekannt"},
    }
    concept_map = {"resourceType": "ConceptMap", "group": [group]}
    assert [(m.equivalence, m.code) for m in translate(concept_map, COLOURS, "crimson")] == [("wider", "R")]
    assert [m.is_match for m in translate(concept_map, COLOURS, "teal")] == [False]
    assert [(m.equivalence, m.code) for m in translate(concept_map, COLOURS, "blue")] == [("inexact", "?")]
    assert translate(concept_map, "http://elsewhere.org", "crimson") == []
    assert translate(concept_map, COLOURS, "crimson", "http://elsewhere.org") == []


NEWER = {
    "detectedissue-category", "diagnostic-service-sections", "observation-interpretation",
    "patient-contactrelationship", "referencerange-meaning", "relatedperson-relationshiptype", "security-labels",
    "v2-0916",
}  # fmt: skip
"""Value sets over tables of HL7 v2 and v3 of another edition than the expansions were made from."""


def test_official_expansions(shared_data: Path) -> None:
    """Every value set of R4 that consists of HL7's own codes expands to what HL7 published."""
    compared = 0
    with lzma.open(shared_data / "fhir-r4-definitions" / "expansions.ndjson.xz") as lines:
        for published in map(json.loads, lines):
            value_set = official("ValueSet", published["url"])
            if value_set is None or published["url"].rpartition("/")[2] in NEWER:
                continue
            try:
                found = set(expand(value_set, official))
            except NotExpandable as why:
                assert "is not here" in str(why)
                continue
            assert found == set(_published(published["expansion"].get("contains", []))), published["url"]
            compared += 1
    assert compared > 430


def test_official_definitions_are_fresh(shared_data: Path, tmp_path: Path) -> None:
    made = tmp_path / "official.jsonl.xz"
    generator = [sys.executable, str(ROOT / "tools" / "generate_official.py")]
    subprocess.run([*generator, str(shared_data / "fhir-r4-definitions"), str(made)], check=True)
    kept = ROOT / "src" / "commonweal" / "fhir" / "definitions" / made.name
    assert lzma.decompress(made.read_bytes()) == lzma.decompress(kept.read_bytes())


def test_what_is_asked_for_in_vain_is_not_kept() -> None:
    """Memory stays bounded whatever addresses are asked for, and however many systems are worked out."""
    before = _read.cache_info().currsize
    assert [official("ValueSet", f"http://nowhere.org/{number}") for number in range(100)] == [None] * 100
    assert _read.cache_info().currsize == before
    for _ in range(50):
        codes({"content": "complete", "concept": [{"code": str(number)} for number in range(1_000)]})
    assert sum(len(each.concepts) for _, each in _kept.values()) <= 20_000


def _published(contains: list[Json]) -> Iterator[tuple[str, str]]:
    for each in contains:
        if not each.get("abstract"):
            yield each["system"], each["code"]
        yield from _published(each.get("contains", []))

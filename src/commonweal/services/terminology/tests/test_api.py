"""The operations of terminology: https://hl7.org/fhir/R4/terminology-service.html."""

from typing import Any

import pytest

from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem

Json = dict[str, Any]
COLOURS = "http://example.org/colours"
MAP_URL = "http://example.org/farben"
FAR_URL = "http://example.org/ValueSet/far"
WARM = "http://example.org/ValueSet/warm"
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
GENDERS = "http://hl7.org/fhir/administrative-gender"
CRIMSON = {"code": "crimson", "display": "Crimson", "definition": "A deep red."}
SYSTEM: Json = {
    "resourceType": "CodeSystem",
    "id": "colours",
    "url": COLOURS,
    "version": "2",
    "name": "Colours",
    "status": "active",
    "content": "complete",
    "concept": [
        {
            "code": "warm",
            "display": "Warm",
            "concept": [{"code": "red", "display": "Red", "concept": [CRIMSON]}],
        },
        {"code": "blue", "display": "Blue", "property": [{"code": "year", "valueInteger": 1800}]},
    ],
}
VALUE_SET: Json = {
    "resourceType": "ValueSet",
    "id": "warm",
    "url": WARM,
    "status": "active",
    "compose": {
        "include": [
            {"system": COLOURS, "filter": [{"property": "concept", "op": "is-a", "value": "warm"}]},
            {"system": "http://third.example.org", "concept": [{"code": "ochre"}]},
        ]
    },
}
FAR: Json = VALUE_SET | {
    "id": "far",
    "url": FAR_URL,
    "compose": {"include": [{"system": "http://snomed.info/sct"}]},
}
MAP: Json = {
    "resourceType": "ConceptMap",
    "id": "farben",
    "url": MAP_URL,
    "status": "active",
    "group": [
        {
            "source": COLOURS,
            "target": "urn:farben",
            "element": [
                {
                    "code": "red",
                    "target": [{"code": "rot", "display": "Rot", "equivalence": "equivalent"}],
                },
                {"code": "blue", "target": [{"equivalence": "unmatched"}]},
            ],
        }
    ],
}


def given(**values: Any) -> Json:
    """Parameters: resources and references as such, objects as Codings or concepts, all else as text."""
    return {"resourceType": "Parameters", "parameter": [_given(*each) for each in values.items()]}


def _given(name: str, value: Any) -> Json:
    if not isinstance(value, dict):
        return {"name": name, "valueString": value}
    if "resourceType" in value:
        return {"name": name, "resource": value}
    kind = "Reference" if "reference" in value else "Coding" if "code" in value else "CodeableConcept"
    return {"name": name, f"value{kind}": value}


async def ask(trial: Trial, operation: str, **values: Any) -> Json:
    async with trial.work() as work:
        for each in (SYSTEM, VALUE_SET, FAR, MAP):
            await work.save(each)
        answer = await work.operation(operation, given(**values))
    codec.check(codec.encode(answer))
    return answer


def said(answer: Json) -> Json:
    """Each parameter's first value by name."""
    found: Json = {}
    for each in answer["parameter"]:
        found.setdefault(each["name"], next(v for k, v in each.items() if k != "name"))
    return found


@pytest.mark.parametrize(
    "asked, codes, total",
    [
        ({"url": WARM}, "warm red crimson ochre", 4),
        ({"url": WARM, "filter": "RÉD"}, "red", 1),
        ({"url": WARM, "filter": "och"}, "ochre", 1),
        ({"url": WARM, "count": "2"}, "warm red", 4),
        ({"url": WARM, "count": "2", "offset": "3"}, "ochre", 4),
        ({"url": WARM, "count": "0"}, "", 4),
        ({"_instance": {"reference": "ValueSet/warm"}}, "warm red crimson ochre", 4),
        (
            {"valueSet": VALUE_SET | {"compose": {"include": [{"system": COLOURS}]}}},
            "warm red crimson blue",
            4,
        ),
        ({"url": GENDER, "includeDesignations": "true"}, "male female other unknown", 4),
    ],
)
async def test_expand(trial: Trial, asked: Json, codes: str, total: int) -> None:
    """https://hl7.org/fhir/R4/valueset-operation-expand.html"""
    value_set = await ask(trial, "ValueSet/$expand", **asked)
    expansion = value_set["expansion"]
    assert [each["code"] for each in expansion.get("contains", [])] == codes.split()
    assert expansion["total"] == total
    assert "compose" not in value_set


async def test_an_expansion_tells_displays(trial: Trial) -> None:
    contains = (await ask(trial, "ValueSet/$expand", url=WARM))["expansion"]["contains"]
    assert contains[1] == {"system": COLOURS, "code": "red", "display": "Red"}


@pytest.mark.parametrize(
    "asked, result, words",
    [
        ({"url": WARM, "system": COLOURS, "code": "red"}, True, "Red"),
        ({"url": WARM, "code": "red"}, True, "Red"),
        ({"url": WARM, "coding": {"system": COLOURS, "code": "blue"}}, False, f"blue is not in {WARM}"),
        ({"url": WARM, "system": COLOURS, "code": "red", "display": "RED"}, True, "Red"),
        (
            {"url": WARM, "system": COLOURS, "code": "red", "display": "Pink"},
            False,
            "not called 'Pink' but 'Red'",
        ),
        ({"url": WARM, "codeableConcept": {"coding": [{"code": "x"}, {"code": "ochre"}]}}, True, ""),
        ({"url": WARM, "codeableConcept": {"text": "red"}}, False, "without codes"),
        ({"url": GENDER, "system": GENDERS, "code": "male"}, True, "Male"),
        ({"url": FAR_URL, "system": COLOURS, "code": "red"}, False, "is not in"),
    ],
)
async def test_validate_a_code_of_a_value_set(trial: Trial, asked: Json, result: bool, words: str) -> None:
    """https://hl7.org/fhir/R4/valueset-operation-validate-code.html"""
    answer = said(await ask(trial, "ValueSet/$validate-code", **asked))
    assert answer["result"] is result
    assert words in str(answer.get("message") or answer.get("display"))


async def test_lookup(trial: Trial) -> None:
    """https://hl7.org/fhir/R4/codesystem-operation-lookup.html"""
    answer = await ask(trial, "CodeSystem/$lookup", system=COLOURS, code="red")
    assert {"name": "Colours", "version": "2", "display": "Red"}.items() <= said(answer).items()
    parts = [each["part"] for each in answer["parameter"] if each["name"] == "property"]
    told = {(code["valueCode"], value.get("valueCode")) for code, value in parts}
    assert told == {("parent", "warm"), ("child", "crimson")}
    answer = said(await ask(trial, "CodeSystem/$lookup", coding={"system": COLOURS, "code": "crimson"}))
    assert answer["definition"] == "A deep red."
    answer = said(await ask(trial, "CodeSystem/$lookup", system=COLOURS, code="blue"))
    assert [each["name"] for each in answer["property"]] == ["code", "value"]


@pytest.mark.parametrize(
    "asked, outcome",
    [
        ({"codeA": "warm", "codeB": "crimson", "system": COLOURS}, "subsumes"),
        (
            {"codeA": "crimson", "codeB": "warm", "_instance": {"reference": "CodeSystem/colours"}},
            "subsumed-by",
        ),
        (
            {"codingA": {"system": COLOURS, "code": "red"}, "codingB": {"system": COLOURS, "code": "red"}},
            "equivalent",
        ),
        ({"codeA": "blue", "codeB": "warm", "system": COLOURS}, "not-subsumed"),
    ],
)
async def test_subsumes(trial: Trial, asked: Json, outcome: str) -> None:
    """https://hl7.org/fhir/R4/codesystem-operation-subsumes.html"""
    assert said(await ask(trial, "CodeSystem/$subsumes", **asked)) == {"outcome": outcome}


@pytest.mark.parametrize(
    "asked, result",
    [
        ({"url": COLOURS, "code": "red"}, True),
        ({"url": COLOURS, "code": "mauve"}, False),
        ({"url": COLOURS, "code": "red", "display": "Blue"}, False),
        ({"url": GENDERS, "coding": {"system": GENDERS, "code": "male"}}, True),
        ({"url": COLOURS, "coding": {"system": GENDERS, "code": "red"}}, False),
    ],
)
async def test_validate_a_code_of_a_system(trial: Trial, asked: Json, result: bool) -> None:
    """https://hl7.org/fhir/R4/codesystem-operation-validate-code.html"""
    assert said(await ask(trial, "CodeSystem/$validate-code", **asked))["result"] is result


@pytest.mark.parametrize(
    "asked, result, target",
    [
        ({"url": MAP_URL, "system": COLOURS, "code": "red"}, True, "rot"),
        ({"conceptMap": MAP, "coding": {"system": COLOURS, "code": "red"}}, True, "rot"),
        ({"url": MAP_URL, "system": COLOURS, "code": "red", "targetsystem": "urn:colori"}, False, None),
        ({"url": MAP_URL, "system": COLOURS, "code": "blue"}, False, None),
    ],
)
async def test_translate(trial: Trial, asked: Json, result: bool, target: str | None) -> None:
    """https://hl7.org/fhir/R4/conceptmap-operation-translate.html"""
    answer = said(await ask(trial, "ConceptMap/$translate", **asked))
    assert answer["result"] is result
    concepts = [each["valueCoding"]["code"] for each in answer.get("match", []) if each["name"] == "concept"]
    assert concepts == ([target] if target else [])


@pytest.mark.parametrize(
    "operation, asked, status, why",
    [
        ("ValueSet/$expand", {}, 400, "'url' is not valid: it is missing"),
        ("ValueSet/$expand", {"url": "http://nowhere.org"}, 404, "no ValueSet http://nowhere.org here"),
        (
            "ValueSet/$expand",
            {"_instance": {"reference": "ValueSet/none"}},
            404,
            "no ValueSet ValueSet/none here",
        ),
        ("ValueSet/$expand", {"url": FAR_URL}, 422, "code system http://snomed.info/sct is not here"),
        ("ValueSet/$expand", {"url": WARM, "count": "-1"}, 400, "not a number"),
        ("ValueSet/$expand", {"url": WARM, "exclude-system": "x"}, 400, "not supported"),
        ("ValueSet/$validate-code", {"url": WARM}, 400, "'code' is not valid: it is missing"),
        (
            "ValueSet/$validate-code",
            {"url": FAR_URL, "system": "http://snomed.info/sct", "code": "1"},
            422,
            "http://snomed.info/sct|1 is not here",
        ),
        ("CodeSystem/$lookup", {"code": "red"}, 400, "'system' is not valid"),
        (
            "CodeSystem/$lookup",
            {"system": COLOURS, "code": "mauve"},
            404,
            "no code http://example.org/colours|mauve",
        ),
        ("CodeSystem/$subsumes", {"codeA": "red", "codeB": "mauve", "system": COLOURS}, 404, "mauve"),
        ("ConceptMap/$translate", {"system": COLOURS, "code": "red"}, 400, "'url' is not valid"),
        (
            "ConceptMap/$translate",
            {"url": MAP_URL, "code": "red", "reverse": "true"},
            400,
            "not supported",
        ),
    ],
)
async def test_refusals_name_what_is_missing(
    trial: Trial, operation: str, asked: Json, status: int, why: str
) -> None:
    with pytest.raises(Problem) as refused:
        await ask(trial, operation, **asked)
    assert refused.value.status == status
    assert why in str(refused.value)

"""Searches by value set and by hierarchy: https://hl7.org/fhir/R4/search.html#token and those of each case."""

from typing import Any

import httpx
import pytest

Json = dict[str, Any]
COLOURS = "http://example.org/colours"
WARM = "http://example.org/ValueSet/warm"


def concept(code: str, *below: Json) -> Json:
    return {"code": code, "display": code.title()} | ({"concept": list(below)} if below else {})


SYSTEM: Json = {
    "resourceType": "CodeSystem",
    "id": "colours",
    "url": COLOURS,
    "version": "2",
    "status": "active",
    "content": "complete",
    "concept": [concept("warm", concept("red", concept("crimson")), concept("yellow")), concept("blue")],
}
IS_WARM = [{"property": "concept", "op": "descendent-of", "value": "warm"}]
VALUE_SET: Json = {
    "resourceType": "ValueSet",
    "id": "warm",
    "url": WARM,
    "status": "active",
    "compose": {"include": [{"system": COLOURS, "filter": IS_WARM}]},
}


def coloured(id: str, code: str, gender: str) -> Json:
    coding = {"system": COLOURS, "code": code}
    return {
        "resourceType": "Patient",
        "id": id,
        "gender": gender,
        "maritalStatus": {"coding": [coding]},
        "communication": [{"language": {"coding": [coding]}}],
    }


async def given_record(fhir: httpx.AsyncClient) -> None:
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/r"},
    }
    people = [
        coloured("r", "red", "male"),
        coloured("c", "crimson", "female"),
        coloured("b", "blue", "other"),
    ]
    for each in (SYSTEM, VALUE_SET, *people, {"resourceType": "Patient", "id": "n"}, observation):
        answer = await fhir.put(f"/{each['resourceType']}/{each['id']}", json=each)
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "query, found",
    [
        (f"Patient?language:in={WARM}", "r c"),
        (f"Patient?language:not-in={WARM}", "b n"),
        ("Patient?language:in=ValueSet/warm", "r c"),
        ("Patient?language:in=http://test/fhir/ValueSet/warm", None),
        (f"Patient?language:below={COLOURS}|warm", "r c"),
        (f"Patient?language:below={COLOURS}|red", "r c"),
        (f"Patient?language:above={COLOURS}|red", "r"),
        (f"Patient?language:above={COLOURS}|crimson,{COLOURS}|blue", "r c b"),
        ("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", "r c b"),
        ("Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", "n"),
        ("Patient?gender:below=male", "r"),
        ("Patient?gender:above=http://hl7.org/fhir/administrative-gender|female", "c"),
        (f"Observation?subject:Patient.language:in={WARM}", "o"),
        (f"Observation?subject:Patient.language:not-in={WARM}", ""),
        ("Patient?_has:Observation:patient:status:in=http://hl7.org/fhir/ValueSet/observation-status", "r"),
    ],
)
async def test_search_by_what_codes_mean(fhir: httpx.AsyncClient, query: str, found: str | None) -> None:
    """https://hl7.org/fhir/R4/search.html#token"""
    await given_record(fhir)
    answer = await fhir.get(f"/{query}")
    if found is None:
        assert answer.status_code == 400, answer.text
        return
    assert answer.status_code == 200, answer.text
    assert {each["resource"]["id"] for each in answer.json().get("entry", [])} == set(found.split())
    self_link = answer.json()["link"][0]["url"]
    assert (await fhir.get(self_link)).json().get("entry") == answer.json().get("entry")


@pytest.mark.parametrize(
    "query, status, why",
    [
        ("language:in=http://nowhere.org/vs", 400, "no value set http://nowhere.org/vs here"),
        (f"language:in={WARM}|7", 400, f"no value set {WARM}|7 here"),
        ("language:in=CodeSystem/colours", 400, "no value set CodeSystem/colours here"),
        (f"language:below={COLOURS}|mauve", 400, f"'mauve' is no code of {COLOURS}"),
        ("language:below=http://snomed.info/sct|1", 400, "code system http://snomed.info/sct is not here"),
        ("language:below=warm", 400, "system|code"),
        ("language:in=http://hl7.org/fhir/ValueSet/mimetypes", 400, "urn:ietf:bcp:13 is not here"),
        ("language:in=http://example.org/ValueSet/huge", 403, "more than 10000 codes"),
    ],
)
async def test_what_cannot_be_expanded(fhir: httpx.AsyncClient, query: str, status: int, why: str) -> None:
    """Each refusal names what is missing."""
    await given_record(fhir)
    many = [{"code": f"c{number}"} for number in range(10_001)]
    huge = VALUE_SET | {
        "id": "huge",
        "url": "http://example.org/ValueSet/huge",
        "compose": {"include": [{"system": COLOURS, "concept": many}]},
    }
    assert (await fhir.put("/ValueSet/huge", json=huge)).status_code == 201
    answer = await fhir.get(f"/Patient?{query}")
    assert answer.status_code == status, answer.text
    assert why in answer.json()["issue"][0]["diagnostics"]


async def test_the_active_definition_counts_before_the_latest(fhir: httpx.AsyncClient) -> None:
    """Of several records with one address."""
    await given_record(fhir)
    draft = VALUE_SET | {"id": "draft", "status": "draft", "version": "9", "compose": {"include": []}}
    draft["compose"] = {"include": [{"system": COLOURS, "concept": [{"code": "blue"}]}]}
    assert (await fhir.put("/ValueSet/draft", json=draft)).status_code == 201
    found = (await fhir.get(f"/Patient?language:in={WARM}")).json()["entry"]
    assert {each["resource"]["id"] for each in found} == {"r", "c"}
    found = (await fhir.get(f"/Patient?language:in={WARM}|9")).json()["entry"]
    assert {each["resource"]["id"] for each in found} == {"b"}


async def test_a_condition_may_ask_by_value_set(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/http.html#ccreate"""
    await given_record(fhir)
    new = {"resourceType": "Patient"}
    unless = {"If-None-Exist": f"language:in={WARM}&gender=male"}
    assert (await fhir.post("/Patient", json=new, headers=unless)).status_code == 200
    unless = {"If-None-Exist": f"language:in={WARM}&gender=other"}
    assert (await fhir.post("/Patient", json=new, headers=unless)).status_code == 201

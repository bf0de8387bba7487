"""Operations: https://hl7.org/fhir/R4/operations.html and those of each case."""

from typing import Any

import httpx
import pytest

TAG = {"system": "http://example.org/tags", "code": "a"}


async def given_record(fhir: httpx.AsyncClient) -> None:
    resources: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": "hospital", "name": "Hospital"},
        {
            "resourceType": "Patient",
            "id": "p1",
            "managingOrganization": {"reference": "Organization/hospital"},
        },
        {"resourceType": "Patient", "id": "p2"},
        {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": "Patient/p1"},
            "period": {"start": "2020-01-01", "end": "2020-01-02"},
        },
        {
            "resourceType": "Observation",
            "id": "o1",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/p1"},
            "encounter": {"reference": "Encounter/e1"},
            "effectiveDateTime": "2026-05-05",
        },
        {"resourceType": "Basic", "id": "b1", "code": {"text": "x"}, "subject": {"reference": "Patient/p1"}},
        {"resourceType": "Basic", "id": "b2", "code": {"text": "x"}, "subject": {"reference": "Patient/p2"}},
    ]
    for each in resources:
        answer = await fhir.put(f"/{each['resourceType']}/{each['id']}", json=each)
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "path, found",
    [
        ("/Patient/p1/$everything", {"p1", "e1", "o1", "b1", "hospital"}),
        ("/Patient/p1/$everything?_type=Observation,Basic", {"o1", "b1"}),
        ("/Patient/p1/$everything?start=2026-01-01", {"p1", "o1", "b1", "hospital"}),
        ("/Patient/p1/$everything?end=2020-12-31", {"p1", "e1", "b1", "hospital"}),
        ("/Patient/p1/$everything?_since=2100-01-01T00:00:00Z", {"p1", "hospital"}),
        ("/Patient/p2/$everything", {"p2", "b2"}),
        ("/Encounter/e1/$everything", {"e1", "o1", "p1"}),
    ],
)
async def test_everything(fhir: httpx.AsyncClient, path: str, found: set[str]) -> None:
    """https://hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html"""
    await given_record(fhir)
    answer = await fhir.get(path)
    assert answer.status_code == 200, answer.text
    entries = answer.json()["entry"]
    assert {each["resource"]["id"] for each in entries} == found
    assert len(entries) == len(found)


async def test_everything_in_pages(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/patient-operation-everything.html: paged, complete, the patient first"""
    await given_record(fhir)
    url, seen = "/Patient/p1/$everything?_count=1", []
    while url:
        bundle = (await fhir.get(url)).json()
        seen += [each["resource"]["id"] for each in bundle.get("entry", [])]
        url = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), "")
    assert seen[0] == "p1"
    assert set(seen) == {"p1", "e1", "o1", "b1", "hospital"}


@pytest.mark.parametrize(
    "path, status",
    [
        ("/Patient/none/$everything", 404),
        ("/Patient/p1/$everything?colour=red", 400),
        ("/Patient/p1/$everything?start=yesterday", 400),
        ("/Patient/p1/$everything?_type=Nothing", 400),
        ("/Basic/b1/$everything", 404),
    ],
)
async def test_everything_refused(fhir: httpx.AsyncClient, path: str, status: int) -> None:
    """https://hl7.org/fhir/R4/patient-operation-everything.html"""
    await given_record(fhir)
    assert (await fhir.get(path)).status_code == status


GOOD = {"resourceType": "Patient", "active": True}
BAD = {"resourceType": "Patient", "active": "yes"}


def parameters(**values: object) -> dict[str, Any]:
    said = [
        {"name": name, "resource": value} if name == "resource" else {"name": name, "valueCode": value}
        for name, value in values.items()
    ]
    return {"resourceType": "Parameters", "parameter": said}


@pytest.mark.parametrize(
    "path, body, is_good",
    [
        ("/Patient/$validate", GOOD, True),
        ("/Patient/$validate", BAD, False),
        ("/Patient/$validate", parameters(resource=GOOD), True),
        ("/Patient/$validate", parameters(resource=GOOD, mode="create"), True),
        ("/Patient/$validate?profile=http://example.org/none", GOOD, True),
        ("/Observation/$validate", GOOD, False),
        ("/Patient/p1/$validate", GOOD | {"id": "p1"}, True),
        ("/Patient/p1/$validate", GOOD | {"id": "p2"}, False),
        ("/Patient/p1/$validate", parameters(mode="delete"), True),
        ("/Patient/p1/$validate", parameters(mode="profile"), True),
    ],
)
async def test_validate(fhir: httpx.AsyncClient, path: str, body: object, is_good: bool) -> None:
    """https://hl7.org/fhir/R4/resource-operation-validate.html: 200, and the outcome tells; nothing is written"""
    await given_record(fhir)
    before = (await fhir.get("/_history?_count=100")).json()
    answer = await fhir.post(path, json=body)
    assert answer.status_code == 200, answer.text
    severities = {each["severity"] for each in answer.json()["issue"]}
    assert ("error" not in severities) is is_good, answer.text
    assert ("cw-profile-not-checked" in answer.text) is ("none" in path)
    assert len((await fhir.get("/_history?_count=100")).json()["entry"]) == len(before["entry"])


async def test_meta_alone(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/resource-operation-meta.html, -meta-add, -meta-delete"""
    await given_record(fhir)
    body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG]}}]}

    async def tags(method: str, name: str) -> list[dict[str, str]]:
        answer = await fhir.request(method, f"/Patient/p1/{name}", json=body if method == "POST" else None)
        assert answer.status_code == 200, answer.text
        said = answer.json()["parameter"][0]
        assert said["name"] == "return"
        found: list[dict[str, str]] = said["valueMeta"].get("tag", [])
        return found

    assert await tags("GET", "$meta") == []
    assert await tags("POST", "$meta-add") == [TAG]
    assert await tags("POST", "$meta-add") == [TAG]
    assert await tags("GET", "_history/1/$meta") == []
    assert (await fhir.get("/Patient?_tag=http://example.org/tags|a")).json()["entry"]
    assert await tags("POST", "$meta-delete") == []
    assert (await fhir.get("/Patient/p1/$meta-add")).status_code == 405


@pytest.mark.parametrize(
    "method, path, body, names",
    [
        ("GET", "/$echo?a=1&b=2", None, ["a", "b"]),
        ("POST", "/$echo", parameters(c="x"), ["c"]),
        ("POST", "/$echo?a=1", parameters(c="x"), ["a", "c"]),
        ("POST", "/Patient/$shout", GOOD, ["resource"]),
        ("POST", "/Patient/p1/$shout", parameters(_instance="y"), ["_instance"]),
    ],
)
async def test_operations_of_services(
    fhir: httpx.AsyncClient, method: str, path: str, body: object, names: list[str]
) -> None:
    """https://hl7.org/fhir/R4/operations.html#request: Parameters from body and address"""
    answer = await fhir.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    assert [each["name"] for each in answer.json()["parameter"]] == names
    assert "p1" not in path or answer.json()["parameter"][0]["valueReference"] == {"reference": "Patient/p1"}


async def test_what_changes_things_is_posted(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/operations.html#request: GET only where affectsState is false"""
    answer = await fhir.get("/Patient/$shout")
    assert answer.status_code == 405

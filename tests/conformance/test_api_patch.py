"""PATCH: https://hl7.org/fhir/R4/http.html#patch, https://hl7.org/fhir/R4/fhirpatch.html."""

from typing import Any

import httpx
import pytest

JSON_PATCH = "application/json-patch+json"
FHIR = "application/fhir+json"
PATIENT = {"resourceType": "Patient", "id": "p1", "active": True, "name": [{"family": "Wang"}]}


def fhirpath_patch(**parts: object) -> dict[str, Any]:
    """A FHIRPath Patch of one operation."""
    said = [
        {"name": name, f"value{'String' if name in ('path', 'name') else kind(value)}": value}
        for name, value in parts.items()
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": said}]}


def kind(value: object) -> str:
    return "Boolean" if isinstance(value, bool) else "Code"


@pytest.mark.parametrize(
    "media, body, status",
    [
        (JSON_PATCH, [{"op": "replace", "path": "/active", "value": False}], 200),
        (JSON_PATCH, [{"op": "test", "path": "/active", "value": True}], 200),
        (JSON_PATCH, [{"op": "add", "path": "/colour", "value": "red"}], 422),
        (JSON_PATCH, [{"op": "replace", "path": "/id", "value": "p2"}], 422),
        (JSON_PATCH, [{"op": "replace", "path": "/resourceType", "value": "Basic"}], 422),
        (JSON_PATCH, {"op": "replace"}, 400),
        (JSON_PATCH, "no patch", 400),
        (FHIR, fhirpath_patch(type="replace", path="Patient.active", value=False), 200),
        (FHIR, fhirpath_patch(type="delete", path="Patient.name"), 200),
        (FHIR, {"resourceType": "Patient"}, 400),
        ("application/fhir+xml", [], 415),
    ],
)
async def test_patches(fhir: httpx.AsyncClient, media: str, body: object, status: int) -> None:
    """#patch: what a patch makes is judged like any update"""
    await fhir.put("/Patient/p1", json=PATIENT)
    answer = await fhir.patch("/Patient/p1", json=body, headers={"Content-Type": media})
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == ("Patient" if status == 200 else "OperationOutcome")
    assert (await fhir.get("/Patient/p1")).headers["etag"] == ('W/"2"' if status == 200 else 'W/"1"')


@pytest.mark.parametrize(
    "body",
    [
        [{"op": "test", "path": "/active", "value": False}],
        [{"op": "remove", "path": "/birthDate"}],
        [{"op": "replace", "path": "/name/7/family", "value": "Li"}],
        [{"op": "sing", "path": "/active"}],
        [{"path": "/active"}],
    ],
)
async def test_patches_that_do_not_apply(fhir: httpx.AsyncClient, body: object) -> None:
    """https://www.rfc-editor.org/rfc/rfc6902#section-5: refused whole"""
    await fhir.put("/Patient/p1", json=PATIENT)
    answer = await fhir.patch("/Patient/p1", json=body, headers={"Content-Type": JSON_PATCH})
    assert 400 <= answer.status_code < 500, answer.text
    assert (await fhir.get("/Patient/p1")).headers["etag"] == 'W/"1"'


async def test_a_patch_keeps_the_digits_of_decimals(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#decimal: precision is kept"""
    start = '{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"}'
    await fhir.put("/Observation/o1", content=start + ',"valueQuantity":{"value":1.10}}')
    steps = '[{"op":"replace","path":"/valueQuantity/value","value":2.500}]'
    answer = await fhir.patch("/Observation/o1", content=steps, headers={"Content-Type": JSON_PATCH})
    assert '"value":2.500' in answer.text


async def test_there_must_be_something_to_patch(fhir: httpx.AsyncClient) -> None:
    """#patch"""
    steps = [{"op": "add", "path": "/active", "value": False}]
    answer = await fhir.patch("/Patient/none", json=steps, headers={"Content-Type": JSON_PATCH})
    assert answer.status_code == 404

"""Profiles on writes and in $validate: https://hl7.org/fhir/R4/resource-operation-validate.html."""

from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.access.roles import unbounded
from commonweal.api.app import Api
from commonweal.platform.catalogue import Catalogue, Definitions
from commonweal.platform.platform import Platform
from tests.conformance.conftest import ECHO, SHIPPED, authenticate, platform

Json = dict[str, Any]
URL = "http://example.org/StructureDefinition/"


def profile(name: str, *elements: Json, type: str = "Patient") -> Json:
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": URL + name,
        "name": name,
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": type,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "derivation": "constraint",
        "differential": {"element": [{"path": each["id"], **each} for each in elements]},
    }


LEVEL = {"id": "Patient.maritalStatus", "binding": {"strength": "required", "valueSet": URL + "levels"}}
NAMED = profile("named", {"id": "Patient.name", "min": 1}, LEVEL)
LEVELS = {
    "resourceType": "ValueSet",
    "id": "levels",
    "url": URL + "levels",
    "compose": {"include": [{"system": "urn:levels", "concept": [{"code": "high"}]}]},
}


@pytest.fixture
def fhir_app() -> Api:
    """The interface where a service ships a profile."""
    parts = platform()
    catalogue = Catalogue([ECHO], {"echo": Definitions([SHIPPED, NAMED, LEVELS])}, roles=unbounded("tester"))
    own = Platform(catalogue, parts.store, parts.clock, parts.new_id, parts.signal, parts.compute)
    return api.app(own, authenticate)


def claiming(profile: str, /, **elements: Any) -> Json:
    return {"resourceType": "Patient", "meta": {"profile": [URL + profile]}, **elements}


LOW = {"coding": [{"system": "urn:levels", "code": "low"}]}


@pytest.mark.parametrize(
    "resource, faults",
    [
        (claiming("named", name=[{"text": "x"}]), []),
        (claiming("named"), ["Patient.name"]),
        (claiming("named|1", maritalStatus=LOW), []),
        (claiming("named", maritalStatus=LOW), ["Patient.name", "Patient.maritalStatus"]),
        (claiming("stranger"), []),
        ({"resourceType": "Patient"}, []),
    ],
)
async def test_a_write_fits_the_shipped_profiles_it_claims(
    fhir: httpx.AsyncClient, resource: Json, faults: list[str]
) -> None:
    """A profile that is not known here, or not in this version, keeps nothing from being stored."""
    answer = await fhir.post("/Patient", json=resource)
    assert answer.status_code == (422 if faults else 201), answer.text
    if faults:
        assert [each["expression"] for each in answer.json()["issue"]] == [[each] for each in faults]


async def test_a_profile_of_the_record_is_asked_by_validate_alone(fhir: httpx.AsyncClient) -> None:
    own = profile("dated", {"id": "Patient.birthDate", "min": 1})
    assert (await fhir.put("/StructureDefinition/dated", json=own)).status_code == 201
    assert (await fhir.post("/Patient", json=claiming("dated"))).status_code == 201
    for path, body in (
        ("/Patient/$validate", claiming("dated")),
        (f"/Patient/$validate?profile={URL}dated", {"resourceType": "Patient"}),
    ):
        issues = (await fhir.post(path, json=body)).json()["issue"]
        errors = [each for each in issues if each["severity"] == "error"]
        assert [each["expression"] for each in errors] == [["Patient.birthDate"]], issues


async def test_what_is_not_known_is_told(fhir: httpx.AsyncClient) -> None:
    issues = (await fhir.post("/Patient/$validate", json=claiming("stranger"))).json()["issue"]
    told = [each for each in issues if each["details"]["coding"][0]["code"] == "cw-profile-not-checked"]
    assert [each["severity"] for each in told] == ["information"]
    assert URL + "stranger" in told[0]["diagnostics"]


async def test_a_shipped_profile_is_told_by_the_capability_statement(fhir: httpx.AsyncClient) -> None:
    rest = (await fhir.get("/metadata")).json()["rest"][0]
    patient = next(each for each in rest["resource"] if each["type"] == "Patient")
    assert patient["supportedProfile"] == [URL + "named"]
    assert "nickname" in {each["name"] for each in patient["searchParam"]}

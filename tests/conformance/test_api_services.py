"""The services by the front door: what the CapabilityStatement says of them, their rules and their operations."""

import io
import json
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.access.agent import OPERATOR, Agent
from commonweal.boot.trial import Trial
from tests.conformance.conftest import BASE

Json = dict[str, Any]


async def _operator(scope: Any) -> Agent:
    return Agent("Practitioner/tester", frozenset({OPERATOR}))


@pytest.fixture
async def fhir(trial: Trial) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the platform with all its services, signed in as an operator."""
    transport = httpx.ASGITransport(api.app(trial.platform, _operator))
    headers = {"Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield client


async def test_the_capability_statement_lists_kinds_and_operations(fhir: httpx.AsyncClient) -> None:
    rest = (await fhir.get("/metadata")).json()["rest"][0]
    of = {each["type"]: each for each in rest["resource"]}
    assert of["Location"]["supportedProfile"] == [
        f"urn:commonweal:profile:{name}" for name in ("area", "facility", "grid", "venue")
    ]
    assert "urn:commonweal:profile:quarantined-message" in of["Task"]["supportedProfile"]
    assert {"merge", "unmerge"} <= {each["name"] for each in of["Patient"]["operation"]}
    assert {"identify", "quarantine"} <= {each["name"] for each in rest["operation"]}
    assert "place" in {each["name"] for each in of["Group"]["searchParam"]}


async def test_a_profile_that_is_named_there_can_be_read(fhir: httpx.AsyncClient) -> None:
    for name in ("area", "household", "match-review"):
        assert (await fhir.get(f"/StructureDefinition/{name}")).json()["url"].endswith(f":{name}")


async def test_a_wrong_number_is_refused_with_its_reason(fhir: httpx.AsyncClient) -> None:
    wrong = {"system": "urn:oid:2.16.156.10011.1.3", "value": "330106198803150027"}
    answer = await fhir.post("/Patient", json={"resourceType": "Patient", "identifier": [wrong]})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["diagnostics"] == "its check character does not fit its digits"


async def test_a_person_of_two_records_is_read_by_either(fhir: httpx.AsyncClient) -> None:
    for id in ("one", "two"):
        await fhir.put(f"/Patient/{id}", json={"resourceType": "Patient", "id": id})
        fact = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "id": f"of-{id}"}
        await fhir.put(f"/Observation/of-{id}", json=fact | {"subject": {"reference": f"Patient/{id}"}})
    said = {"source-patient": "Patient/one", "target-patient": "Patient/two"}
    references = [{"name": name, "valueReference": {"reference": to}} for name, to in said.items()]
    reason = {"name": "reason", "valueString": "one card"}
    parameters = {"resourceType": "Parameters", "parameter": [*references, reason]}
    assert (await fhir.post("/Patient/$merge", json=parameters)).status_code == 200
    for id in ("one", "two"):
        everything = (await fhir.get(f"/Patient/{id}/$everything")).json()
        found = {each["resource"]["id"] for each in everything["entry"]}
        assert found == {"one", "two", "of-one", "of-two"}
    assert (await fhir.post("/Patient/$unmerge", json=parameters)).status_code == 200
    everything = (await fhir.get("/Patient/one/$everything")).json()
    assert {each["resource"]["id"] for each in everything["entry"]} == {"one", "of-one"}


async def test_people_of_elsewhere_are_admitted(fhir: httpx.AsyncClient, shared_data: Path) -> None:
    """Synthea's people, organizations and practitioners have numbers of systems that are not ours to judge."""
    judged = {"Patient", "Organization", "Practitioner"}
    with tarfile.open(shared_data / "synthea-r4" / "synthea-40-patients.tar.xz") as tar:
        files = [tar.extractfile(each) for each in tar if each.name.endswith(".json")]
        bundles = [json.load(each or io.BytesIO()) for each in files]
    for bundle in bundles:
        kept = [each for each in bundle["entry"] if each["resource"]["resourceType"] in judged]
        answer = await fhir.post("/", json={**bundle, "entry": kept})
        assert answer.status_code == 200, answer.text[:500]

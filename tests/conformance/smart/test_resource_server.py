"""What an access token opens, and what it does not: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#access-fhir-api."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from tests.conformance.smart.smart_world import World

LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def observation(id: str, patient: str, category: str = "laboratory") -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "something"},
        "category": [{"coding": [{"system": system, "code": category}]}],
        "subject": {"reference": f"Patient/{patient}"},
    }


@pytest.fixture
async def record(trial: Trial) -> AsyncIterator[World]:
    """Two people with observations, reached over HTTP."""
    world = World(trial.platform)
    headers = {"authorization": "Bearer boss", "content-type": "application/fhir+json"}
    for resource in (
        {"resourceType": "Patient", "id": "p", "name": [{"family": "P"}]},
        {"resourceType": "Patient", "id": "q", "name": [{"family": "Q"}]},
        observation("lab-p", "p"),
        observation("vital-p", "p", "vital-signs"),
        observation("lab-q", "q"),
    ):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = await world.http.put(path, content=codec.encode(resource), headers=headers)
        assert answer.status_code == 201, answer.text
    yield world
    await world.http.aclose()


async def bearer(world: World, scope: str) -> dict[str, str]:
    _, session = await world.resident()
    client, _ = await world.client()
    token = (await world.tokens(client, session, scope=scope))["access_token"]
    return {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}


async def ids(world: World, path: str, headers: dict[str, str]) -> list[str]:
    answer = await world.http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return sorted(each["resource"]["id"] for each in answer.json().get("entry", ()))


async def test_a_token_opens_the_data_of_its_patient(record: World) -> None:
    headers = await bearer(record, "patient/*.rs")
    assert (await record.http.get("/fhir/Patient/p", headers=headers)).status_code == 200
    assert await ids(record, "/fhir/Observation", headers) == ["lab-p", "vital-p"]
    assert (await record.http.get("/fhir/Patient/q", headers=headers)).status_code == 404
    assert (await record.http.get("/fhir/Observation/lab-q", headers=headers)).status_code == 404


async def test_only_the_types_and_letters_of_its_scopes(record: World) -> None:
    headers = await bearer(record, "patient/Observation.s")
    assert await ids(record, "/fhir/Observation", headers) == ["lab-p", "vital-p"]
    assert (await record.http.get("/fhir/Observation/lab-p", headers=headers)).status_code == 403
    assert (await record.http.get("/fhir/Patient/p", headers=headers)).status_code == 403
    body = codec.encode(observation("lab-p", "p"))
    assert (
        await record.http.put("/fhir/Observation/lab-p", content=body, headers=headers)
    ).status_code == 403
    assert (await record.http.post("/fhir/Observation", content=body, headers=headers)).status_code == 403
    assert (await record.http.delete("/fhir/Observation/lab-p", headers=headers)).status_code == 403


async def test_only_what_meets_the_constraint_of_a_scope(record: World) -> None:
    headers = await bearer(record, f"patient/Observation.rs?category={LAB}")
    assert await ids(record, "/fhir/Observation", headers) == ["lab-p"]
    assert (await record.http.get("/fhir/Observation/lab-p", headers=headers)).status_code == 200
    assert (await record.http.get("/fhir/Observation/vital-p", headers=headers)).status_code == 404


async def test_user_scopes_open_what_the_person_sees_and_no_more(record: World) -> None:
    headers = await bearer(record, "user/*.cruds")
    assert await ids(record, "/fhir/Patient", headers) == ["p"]
    body = codec.encode({"resourceType": "Organization", "name": "Mine now"})
    assert (await record.http.post("/fhir/Organization", content=body, headers=headers)).status_code == 403


async def test_an_expired_or_missing_token_opens_nothing(record: World) -> None:
    headers = await bearer(record, "patient/*.rs")
    record.pass_(300)
    assert (await record.http.get("/fhir/Patient/p", headers=headers)).status_code == 401
    assert (await record.http.get("/fhir/Patient/p")).status_code == 401


async def test_entries_of_a_batch_are_judged_one_by_one(record: World) -> None:
    headers = await bearer(record, "patient/Observation.rs")
    entries = [{"request": {"method": "GET", "url": each}} for each in ("Observation/lab-p", "Patient/p")]
    body = codec.encode({"resourceType": "Bundle", "type": "batch", "entry": entries})
    answer = await record.http.post("/fhir", content=body, headers=headers)
    assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["200", "403"]
    written = [{"request": {"method": "DELETE", "url": "Observation/lab-p"}}]
    body = codec.encode({"resourceType": "Bundle", "type": "transaction", "entry": written})
    assert (await record.http.post("/fhir", content=body, headers=headers)).status_code == 403


async def test_a_system_reads_by_what_it_was_allowed(record: World, ec_key: Any) -> None:
    client = await record.system(ec_key, scope="system/Organization.rs")
    token = (await record.asserted(record.assertion(client, ec_key), "system/*.rs")).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert (await record.http.get("/fhir/Organization", headers=headers)).status_code == 200
    assert (await record.http.get("/fhir/Observation", headers=headers)).status_code == 403


async def test_the_statement_of_capabilities_needs_no_token(record: World) -> None:
    assert (await record.http.get("/fhir/metadata")).status_code == 200


DETOURS = [
    "/fhir/Patient",
    "/fhir/Patient/p",
    "/fhir/Patient?_id=p&_summary=count",
    "/fhir/Patient/p/_history",
    "/fhir/Patient/_history",
    "/fhir/Patient/p/$everything",
    "/fhir/Patient?_revinclude=Observation:subject",
    "/fhir/Patient?_has:Observation:subject:status=final",
    "/fhir/Observation?_include=Observation:subject",
    "/fhir/Observation?_include=*",
    "/fhir?_type=Patient",
    "/fhir?_type=Patient,Observation",
    "/fhir/_history",
    "/fhir/Patient/p/Observation",
]


@pytest.mark.parametrize("path", DETOURS)
async def test_no_detour_leads_to_what_an_app_was_not_allowed(record: World, path: str) -> None:
    """An app that got Observations sees no Patient, by whatever way it comes."""
    headers = await bearer(record, "patient/Observation.rs")
    answer = await record.http.get(path, headers=headers)
    assert answer.status_code in (200, 403, 404), answer.text
    if answer.status_code == 200:
        told = answer.json()
        entries = told.get("entry", ())
        assert told["resourceType"] == "Bundle"
        assert {each["resource"]["resourceType"] for each in entries} <= {"Observation", "OperationOutcome"}
        assert {each["resource"]["id"] for each in entries} <= {"lab-p", "vital-p"}


async def test_a_chain_tells_nothing_of_what_an_app_was_not_allowed(record: World) -> None:
    """Right and wrong guesses of a name look the same."""
    headers = await bearer(record, "patient/Observation.rs")
    for parameter in ("subject:Patient.family", "patient.family", "subject:Patient.name:missing"):
        answers = []
        for guess in ("P", "Nobody") if "missing" not in parameter else ("true", "false"):
            answer = await record.http.get(f"/fhir/Observation?{parameter}={guess}", headers=headers)
            answers.append(
                (answer.status_code, answer.json().get("total"), len(answer.json().get("entry", ())))
            )
        assert answers[0] == answers[1], parameter


async def test_counts_and_versions_keep_to_the_constraint(record: World) -> None:
    headers = await bearer(record, f"patient/Observation.rs?category={LAB}")
    counted = await record.http.get("/fhir/Observation?_summary=count", headers=headers)
    assert counted.json()["total"] == 1
    asked = await record.http.get("/fhir/Observation?category=vital-signs&_summary=count", headers=headers)
    assert asked.json()["total"] == 0
    assert (await record.http.get("/fhir/Observation/vital-p/_history", headers=headers)).status_code == 404
    assert (await record.http.get("/fhir/Observation/vital-p/_history/1", headers=headers)).status_code == 404
    told = (await record.http.get("/fhir/Observation/_history", headers=headers)).json()
    assert {each["resource"]["id"] for each in told.get("entry", ())} <= {"lab-p"}
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": "Observation/vital-p"}}],
    }
    answer = await record.http.post("/fhir", content=codec.encode(batch), headers=headers)
    assert answer.json()["entry"][0]["response"]["status"].startswith("404")


async def test_writing_keeps_to_patient_and_constraint(record: World) -> None:
    """The app may write laboratory results of its patient, and neither others' nor other things."""
    _, session = await record.doctor()
    client, _ = await record.client()
    scope = f"patient/Observation.cu?category={LAB}"
    token = (await record.tokens(client, session, scope=scope))["access_token"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
    for resource in (observation("new", "q"), observation("new", "p", "vital-signs")):
        del resource["id"]
        answer = await record.http.post("/fhir/Observation", content=codec.encode(resource), headers=headers)
        assert answer.status_code == 403, answer.text

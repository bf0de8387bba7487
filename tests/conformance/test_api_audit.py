"""AuditEvent and Provenance by REST: told from the journal, to those who may ask, and valid FHIR."""

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.access import Agent, Permission
from commonweal.access.roles import AUDITOR, OPERATOR, RESIDENT
from commonweal.access.scope import Scope, parsed
from commonweal.boot import discovery
from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.ports import Audited

Json = dict[str, Any]


def scopes(text: str) -> tuple[Scope, ...]:
    return tuple(found for each in text.split() if (found := parsed(each)))


PEOPLE = {
    "operator": Agent(
        "Practitioner/operator", frozenset({OPERATOR}), organization="Organization/o", client="app"
    ),
    "auditor": Agent(
        "Practitioner/auditor", frozenset({AUDITOR}), "HCOMPL", session="s-1", address="192.0.2.7"
    ),
    "resident": Agent("Patient/a", frozenset({RESIDENT}), "PATRQT"),
    "app": Agent(
        "Patient/a", frozenset({RESIDENT}), "PATRQT", scopes=scopes("patient/*.rs"), patient="Patient/a"
    ),
    "narrow app": Agent(
        "Patient/a", frozenset({RESIDENT}), "PATRQT", scopes=scopes("patient/Patient.rs"), patient="Patient/a"
    ),
    "neighbour": Agent("Patient/b", frozenset({RESIDENT}), "PATRQT"),
}


async def authenticate(scope: Any) -> Agent:
    name = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
    if name not in PEOPLE:
        raise Problem.unauthenticated("nobody of that name")
    return PEOPLE[name]


@pytest.fixture
def trial() -> Trial:
    """The platform with all its services, where residents read what is theirs."""
    own = Permission("trial.own", "Read what is about oneself", (RESIDENT,), discovery.READS)
    definitions = {each.name: discovery.definitions(each.name) for each in discovery.services()}
    return Trial(Catalogue(discovery.services(), definitions, (*discovery.RECORD, own)))


@asynccontextmanager
async def client(trial: Trial) -> AsyncIterator[httpx.AsyncClient]:
    app = api.app(trial.platform, authenticate)
    headers = {"content-type": "application/fhir+json"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/fhir", headers=headers
    ) as http:
        yield http


@pytest.fixture
async def http(trial: Trial) -> AsyncIterator[httpx.AsyncClient]:
    """Two patients with an observation each, and looks at them."""
    async with client(trial) as made:
        for id in "ab":
            await put(made, {"resourceType": "Patient", "id": id}, f"made-{id}")
            subject = {"subject": {"reference": f"Patient/{id}"}}
            body = {"resourceType": "Observation", "id": f"of-{id}", "status": "final", "code": {"text": "x"}}
            await put(made, body | subject, f"observed-{id}")
        await get(made, "Patient/a", work="look-a")
        await get(made, "Observation?patient=Patient/a,Patient/b", work="search-both")
        await get(made, "Patient/nobody", work="look-nobody")
        yield made


async def put(http: httpx.AsyncClient, body: Json, work: str) -> None:
    headers = {"authorization": "Bearer operator", "x-request-id": work}
    answer = await http.put(f"/{body['resourceType']}/{body['id']}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text


async def get(http: httpx.AsyncClient, path: str, who: str = "operator", work: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {who}"} | ({"x-request-id": work} if work else {})
    return await http.get(f"/{path}", headers=headers)


async def found(http: httpx.AsyncClient, path: str, who: str = "auditor") -> list[Json]:
    """All resources of a search, over all its pages; each is valid FHIR."""
    resources: list[Json] = []
    address: str | None = path
    while address:
        answer = await get(http, address, who)
        assert answer.status_code == 200, answer.text
        bundle = codec.check(answer.content, "Bundle")
        resources += [entry["resource"] for entry in bundle.get("entry", [])]
        following = [each["url"] for each in bundle["link"] if each["relation"] == "next"]
        address = following[0].removeprefix("http://test/fhir/") if following else None
    for each in resources:
        codec.check(codec.encode(each))
    return resources


def works(events: list[Json]) -> list[str]:
    """The works that they tell of, without the auditor's own."""
    ids = [each["entity"][0]["what"]["identifier"]["value"] for each in events]
    return [id for id in ids if not id.startswith("new-")]


async def test_the_rows_are_told_newest_first_and_valid(http: httpx.AsyncClient, trial: Trial) -> None:
    events = await found(http, "AuditEvent?_count=3")
    assert works(events) == [
        "look-nobody", "search-both", "look-a", "observed-b", "made-b", "observed-a", "made-a",
    ]  # fmt: skip
    issues = [issue for each in events for issue in trial.platform.catalogue.faults(each, [])]
    assert issues == []


async def test_an_event_says_who_as_whom_and_of_whom(http: httpx.AsyncClient) -> None:
    (event,) = [e for e in await found(http, "AuditEvent?patient=Patient/a&subtype=search") if works([e])]
    asking, app, organization = event["agent"]
    assert asking["who"] == {"reference": "Practitioner/operator"} and asking["requestor"] is True
    assert asking["role"][0]["coding"][0]["code"] == "operator"
    assert app["who"]["identifier"]["value"] == "app"
    assert organization["who"]["reference"] == "Organization/o"
    named = [
        entity["what"]["reference"] for entity in event["entity"] if "reference" in entity.get("what", {})
    ]
    assert named == ["Patient/a", "Patient/b", "Observation/of-a", "Observation/of-b"]
    assert b64decode(event["entity"][-1]["query"]).startswith(b"Observation?patient=")


ANSWERS = {
    "patient=Patient/a": ["search-both", "look-a", "observed-a", "made-a"],
    "patient=b": ["search-both", "observed-b", "made-b"],
    "agent=Practitioner/operator&action=R": ["look-nobody", "look-a"],
    "action=C": [],
    "action=U,D&patient=a": ["observed-a", "made-a"],
    "subtype=http://hl7.org/fhir/restful-interaction|read": ["look-nobody", "look-a"],
    "outcome=4": ["look-nobody"],
    "entity=Observation/of-b": ["search-both", "observed-b"],
    "entity=Patient/a&_count=1": ["look-a", "made-a"],
    "date=2026-01-05&action=R": ["look-nobody", "look-a"],
    "date=ge2026-01-05&date=lt2026-01-06&action=R": ["look-nobody", "look-a"],
    "date=gt2026-01-05": [],
    "date=2025": [],
    "purpose=TREAT&action=R": ["look-nobody", "look-a"],
    "type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest&action=R&_sort=-date": [
        "look-nobody",
        "look-a",
    ],
    "address=192.0.2.7": [],
}


@pytest.mark.parametrize("query", ANSWERS)
async def test_a_search_finds(http: httpx.AsyncClient, query: str) -> None:
    assert works(await found(http, f"AuditEvent?{query}")) == ANSWERS[query]


REFUSED = (
    "policy=x", "site=x", "agent-name=x", "patient.name=x", "_include=AuditEvent:agent", "_sort=date",
    "_total=accurate", "agent=a,b", "patient=Observation/x", "date=ap2026", "date=x", "outcome=12",
    "type=other", "subtype=unheard-of", "_count=0", "_id=x", "_cursor=x", "agent:Practitioner=x",
    "agent=a&agent=b", "nothing=x",
)  # fmt: skip


@pytest.mark.parametrize("query", REFUSED)
async def test_what_the_rows_cannot_answer_is_refused(http: httpx.AsyncClient, query: str) -> None:
    answer = await get(http, f"AuditEvent?{query}", "auditor")
    assert answer.status_code == 400, answer.text


async def test_one_event_is_read_by_its_id(http: httpx.AsyncClient) -> None:
    event = (await found(http, "AuditEvent?patient=a&action=R"))[0]
    for path in (f"AuditEvent/{event['id']}", f"AuditEvent/{event['id']}/_history/1"):
        answer = await get(http, path, "auditor")
        assert (answer.status_code, answer.json()) == (200, event)
    assert [each["id"] for each in await found(http, f"AuditEvent?_id={event['id']}")] == [event["id"]]
    for path in ("AuditEvent/1-99999", "AuditEvent/x", f"AuditEvent/{event['id']}/_history/2"):
        assert (await get(http, path, "auditor")).status_code == 404


async def test_asking_by_form_and_in_a_compartment(http: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer auditor", "content-type": "application/x-www-form-urlencoded"}
    answer = await http.post("/AuditEvent/_search", content="patient=a&action=R", headers=headers)
    assert works([each["resource"] for each in answer.json()["entry"]]) == ["look-a"]
    assert works(await found(http, "Patient/a/AuditEvent?action=R")) == ["look-a"]
    assert (await get(http, "Patient/a/AuditEvent?patient=b", "auditor")).status_code == 501
    assert (await get(http, "Practitioner/a/AuditEvent", "auditor")).status_code == 501
    assert (await get(http, "?_type=AuditEvent", "operator")).status_code == 501
    assert (await get(http, "AuditEvent/_history", "operator")).status_code == 501


async def test_nobody_writes_an_event(http: httpx.AsyncClient) -> None:
    event = (await found(http, "AuditEvent?action=R"))[0]
    headers = {"authorization": "Bearer operator"}
    ways: list[tuple[str, str, Json | None]] = [
        ("POST", "/AuditEvent", event), ("PUT", f"/AuditEvent/{event['id']}", event),
        ("DELETE", f"/AuditEvent/{event['id']}", None), ("PATCH", f"/AuditEvent/{event['id']}", event),
    ]  # fmt: skip
    for method, path, body in ways:
        answer = await http.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    for type in ("transaction", "batch"):
        entry = {"resource": event, "request": {"method": "POST", "url": "AuditEvent"}}
        bundle = {"resourceType": "Bundle", "type": type, "entry": [entry]}
        answer = await http.post("/", json=bundle, headers=headers)
        assert "AuditEvents are told by the platform" in answer.text
        assert answer.status_code == 422 if type == "transaction" else "405" in answer.text
    assert len(await found(http, f"AuditEvent?_id={event['id']}")) == 1


async def test_who_may_ask(http: httpx.AsyncClient) -> None:
    assert (await get(http, "AuditEvent", "neighbour")).status_code == 200
    assert (await get(http, "AuditEvent?patient=a", "neighbour")).status_code == 403
    assert (await get(http, "AuditEvent?patient=a", "nobody")).status_code == 401
    assert (await get(http, "AuditEvent?patient=a", "app")).status_code == 200
    assert (await get(http, "AuditEvent?patient=a", "narrow app")).status_code == 403


async def test_a_resident_sees_who_looked_and_nothing_of_others(http: httpx.AsyncClient) -> None:
    events = await found(http, "AuditEvent", "resident")
    assert works(events) == ["search-both", "look-a", "observed-a", "made-a"]
    told = codec.encode(events[0]).decode()
    assert "Patient/b" not in told and "of-b" not in told and "query" not in told
    assert (await get(http, f"AuditEvent/{events[1]['id']}", "resident")).json() == events[1]
    other = (await found(http, "AuditEvent?patient=b&action=U"))[0]
    assert (await get(http, f"AuditEvent/{other['id']}", "resident")).status_code == 404


async def test_asking_is_audited(http: httpx.AsyncClient) -> None:
    await get(http, "AuditEvent?patient=a", "auditor", work="asking")
    await get(http, "AuditEvent", "neighbour", work="own")
    await get(http, "AuditEvent?patient=a", "neighbour", work="refused")
    events = await found(http, "AuditEvent?date=ge2026")
    asked = {works([each])[0]: each for each in events if works([each])}
    assert {"asking", "own", "refused"} <= asked.keys()
    assert asked["refused"]["outcome"] == "4"
    asking = asked["asking"]["agent"][0]
    assert (asking["altId"], asking["network"]) == ("s-1", {"address": "192.0.2.7", "type": "2"})


async def test_writes_have_their_provenance(http: httpx.AsyncClient) -> None:
    made = await found(http, "Provenance?target=Observation/of-a", "operator")
    assert [each["target"] for each in made] == [[{"reference": "Observation/of-a"}]]
    assert made[0]["agent"][0]["onBehalfOf"] == {"reference": "Organization/o"}
    assert made[0]["activity"]["coding"][0]["code"] == "UPDATE"
    answer = await get(http, f"Provenance/{made[0]['id']}", "operator")
    assert answer.json() == made[0]
    assert [each["target"][0]["reference"] for each in await found(http, "Provenance?patient=b", "auditor")] == [
        "Observation/of-b", "Patient/b",
    ]  # fmt: skip


async def test_provenance_that_clients_wrote_stands_behind(http: httpx.AsyncClient) -> None:
    written = {
        "resourceType": "Provenance", "id": "written", "target": [{"reference": "Patient/a"}],
        "recorded": "2020-01-01T00:00:00Z", "agent": [{"who": {"reference": "Practitioner/somebody"}}],
    }  # fmt: skip
    await put(http, written, "by-hand")
    told = await found(http, "Provenance?target=Patient/a&_count=1", "operator")
    assert [each["id"] for each in told[1:]] == ["written"] and told[0]["id"] != "written"
    assert (await get(http, "Provenance/written", "operator")).status_code == 200
    other = await found(http, "Provenance?agent:missing=false", "operator")
    assert [each["resourceType"] for each in other] == ["Provenance", "OperationOutcome"]


async def test_hostile_rows_are_told_as_text(http: httpx.AsyncClient, trial: Trial) -> None:
    hostile = "<script>\u202e'; drop table audit; --"
    await trial.store.audit(Audited("hostile", hostile, "", hostile, query=hostile, because=hostile))
    assert "hostile" in works(await found(http, "AuditEvent"))


async def test_signing_in_and_what_changes_it_are_told_as_such(http: httpx.AsyncClient, trial: Trial) -> None:
    for interaction, about in (
        ("sign-in", "Practitioner/p"),
        ("account-disable", "account-x"),
        ("sign-out", ""),
    ):
        entities = (about,) if about else ()
        await trial.store.audit(
            Audited(interaction, "anonymous", "", interaction, entities=entities, outcome=401)
        )
    events = {works([each])[0]: each for each in await found(http, "AuditEvent?outcome=4") if works([each])}
    kinds = [
        (events[name]["type"]["code"], events[name]["subtype"][0]["code"]) for name in ("sign-in", "sign-out")
    ]
    assert kinds == [("110114", "110122"), ("110114", "110123")]
    changed = events["account-disable"]
    assert changed["subtype"][0]["code"] == "110137"
    assert changed["entity"][1]["what"] == {"identifier": {"value": "account-x"}}


async def test_a_search_in_a_compartment_says_in_whose(http: httpx.AsyncClient, trial: Trial) -> None:
    await get(http, "Patient/a/Observation?status=final", work="within")
    (row,) = [row for _, row in trial.store.audited if row.work == "within"]
    assert row.query == "Patient/a/Observation?status=final"

"""One resource by its id: https://hl7.org/fhir/R4/http.html#read, #update, #create, #delete, #ops."""

import httpx
import pytest

from commonweal.api.app import Api
from commonweal.store.memory.store import MemoryStore

PATIENT = '{"resourceType":"Patient","id":"p1","active":true,"name":[{"family":"Wang"}]}'
JSON = "application/fhir+json"


async def given_patient(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.put("/Patient/p1", content=PATIENT)).status_code == 201


async def test_read_gives_the_resource_its_version_and_its_time(fhir: httpx.AsyncClient) -> None:
    """#read, #versionaware"""
    await given_patient(fhir)
    answer = await fhir.get("/Patient/p1")
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["content-type"].startswith(JSON)
    assert answer.headers["last-modified"].endswith(" GMT")
    body = answer.json()
    assert body["meta"]["versionId"] == "1"
    assert {k: body[k] for k in ("id", "active", "name")} == {
        "id": "p1",
        "active": True,
        "name": [{"family": "Wang"}],
    }


async def test_head_gives_the_headers_only(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/http.html#general (HEAD as GET without a body)"""
    await given_patient(fhir)
    get, head = await fhir.get("/Patient/p1"), await fhir.head("/Patient/p1")
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["etag"] == get.headers["etag"]


@pytest.mark.parametrize(
    "header, value, status",
    [
        ("If-None-Match", 'W/"1"', 304),
        ("If-None-Match", '"1"', 304),
        ("If-None-Match", 'W/"7", W/"1"', 304),
        ("If-None-Match", 'W/"7"', 200),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT", 304),
        ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT", 200),
        ("If-Modified-Since", "the day before yesterday", 200),
    ],
)
async def test_conditional_read(fhir: httpx.AsyncClient, header: str, value: str, status: int) -> None:
    """#cread"""
    await given_patient(fhir)
    answer = await fhir.get("/Patient/p1", headers={header: value})
    assert answer.status_code == status
    assert (answer.content == b"") is (status == 304)


async def test_versions_stay_readable(fhir: httpx.AsyncClient) -> None:
    """#vread"""
    await given_patient(fhir)
    await fhir.put("/Patient/p1", content=PATIENT.replace("Wang", "Li"))
    first, second = await fhir.get("/Patient/p1/_history/1"), await fhir.get("/Patient/p1/_history/2")
    assert [r.json()["name"][0]["family"] for r in (first, second)] == ["Wang", "Li"]
    for wrong in ("3", "x", "-1", "1.0", "9" * 40, "²"):
        assert (await fhir.get(f"/Patient/p1/_history/{wrong}")).status_code == 404


async def test_create_ignores_the_id_of_the_body(fhir: httpx.AsyncClient) -> None:
    """#create"""
    await given_patient(fhir)
    answer = await fhir.post("/Patient", content=PATIENT)
    assert answer.status_code == 201
    assert answer.json()["id"] != "p1"
    assert answer.headers["location"] == f"http://test/fhir/Patient/{answer.json()['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json()["meta"]["versionId"] == "1"


async def test_update_makes_versions_or_the_resource(fhir: httpx.AsyncClient) -> None:
    """#update, #upsert"""
    made = await fhir.put("/Patient/p1", content=PATIENT)
    changed = await fhir.put("/Patient/p1", content=PATIENT)
    assert (made.status_code, changed.status_code) == (201, 200)
    assert changed.headers["etag"] == 'W/"2"'
    assert changed.headers["location"].endswith("/Patient/p1/_history/2")


@pytest.mark.parametrize(
    "body, status, code",
    [
        (PATIENT.replace("p1", "p2"), 400, "cw-id-mismatch"),
        ('{"resourceType":"Patient"}', 400, "cw-id-mismatch"),
        ('{"resourceType":"Observation","id":"p1"}', 400, "cw-type-mismatch"),
        ('{"resourceType":"Patient","id":"p1","colour":"red"}', 422, "cw-unknown-element"),
    ],
)
async def test_update_refuses_what_does_not_belong_there(
    fhir: httpx.AsyncClient, body: str, status: int, code: str
) -> None:
    """#update: the id in the body must be that of the address"""
    answer = await fhir.put("/Patient/p1", content=body)
    assert answer.status_code == status
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == code


@pytest.mark.parametrize(
    "method, tag, status",
    [
        ("PUT", 'W/"1"', 200),
        ("PUT", '"1"', 200),
        ("PUT", 'W/"2"', 412),
        ("PUT", "yesterday", 412),
        ("DELETE", 'W/"2"', 412),
        ("DELETE", 'W/"1"', 204),
        ("PATCH", 'W/"2"', 412),
        ("PATCH", 'W/"1"', 200),
    ],
)
async def test_writes_on_condition_of_a_version(
    fhir: httpx.AsyncClient, method: str, tag: str, status: int
) -> None:
    """#concurrency"""
    await given_patient(fhir)
    content = '[{"op":"replace","path":"/active","value":false}]' if method == "PATCH" else PATIENT
    media = "application/json-patch+json" if method == "PATCH" else JSON
    answer = await fhir.request(
        method,
        "/Patient/p1",
        content=content if method != "DELETE" else None,
        headers={"If-Match": tag, "Content-Type": media},
    )
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "prefer, what",
    [
        ("return=minimal", ""),
        ("return=representation", "Patient"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("", "Patient"),
        ("return=something-else", "Patient"),
    ],
)
async def test_prefer_says_what_a_write_gives_back(fhir: httpx.AsyncClient, prefer: str, what: str) -> None:
    """#return"""
    answer = await fhir.put("/Patient/p1", content=PATIENT, headers={"Prefer": prefer})
    assert answer.status_code == 201
    assert (answer.json()["resourceType"] if answer.content else "") == what


async def test_delete_ends_a_resource_and_keeps_its_versions(fhir: httpx.AsyncClient) -> None:
    """#delete"""
    await given_patient(fhir)
    gone = await fhir.delete("/Patient/p1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await fhir.get("/Patient/p1")).status_code == 410
    assert (await fhir.get("/Patient/p1/_history/1")).status_code == 200
    assert (await fhir.get("/Patient/p1/_history/2")).status_code == 410
    assert (await fhir.delete("/Patient/p1")).status_code == 204
    assert (await fhir.delete("/Patient/never-was")).status_code == 204
    back = await fhir.put("/Patient/p1", content=PATIENT)
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')


async def test_delete_tells_when_asked(fhir: httpx.AsyncClient) -> None:
    """#delete: 200 with a payload"""
    await given_patient(fhir)
    answer = await fhir.delete("/Patient/p1", headers={"Prefer": "return=OperationOutcome"})
    assert answer.status_code == 200
    assert "Patient/p1" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "query, kept",
    [
        ("_elements=name", {"resourceType", "id", "meta", "name"}),
        ("_elements=name.family,birthDate", {"resourceType", "id", "meta", "name"}),
        ("_summary=text", {"resourceType", "id", "meta"}),
        ("_summary=true", {"resourceType", "id", "meta", "name", "active"}),
        ("_summary=data", {"resourceType", "id", "meta", "name", "active"}),
        ("_summary=false", {"resourceType", "id", "meta", "name", "active"}),
    ],
)
async def test_parts_of_a_resource(fhir: httpx.AsyncClient, query: str, kept: set[str]) -> None:
    """https://hl7.org/fhir/R4/search.html#summary, #elements: parts are tagged SUBSETTED"""
    await given_patient(fhir)
    body = (await fhir.get(f"/Patient/p1?{query}")).json()
    assert set(body) == kept
    tags = [tag["code"] for tag in body["meta"].get("tag", [])]
    assert tags == ([] if query == "_summary=false" else ["SUBSETTED"])


async def test_refusals_are_outcomes_with_the_id_of_the_request(fhir: httpx.AsyncClient) -> None:
    """#operationoutcome, https://hl7.org/fhir/R4/http.html#customheaders"""
    given = await fhir.get("/Patient/none", headers={"X-Request-Id": "abc-1"})
    made = await fhir.get("/Patient/none", headers={"X-Request-Id": "no\tgood"})
    assert given.status_code == made.status_code == 404
    assert given.headers["x-request-id"] == "abc-1"
    assert made.headers["x-request-id"] not in ("", "no\tgood")
    assert given.json()["issue"][0]["details"]["coding"][0]["code"] == "cw-not-found"


async def test_nobody_enters_without_signing_in(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/security.html#http; the statement of what there is stays open"""
    headers = {"Authorization": ""}
    refused = await fhir.get("/Patient/p1", headers=headers)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert (await fhir.get("/metadata", headers=headers)).status_code == 200


async def test_the_audit_carries_the_id_of_the_request(fhir: httpx.AsyncClient, fhir_app: Api) -> None:
    """https://hl7.org/fhir/R4/http.html#customheaders: one id in the answer and in the audit row, reads too"""
    await fhir.put("/Patient/p1", content=PATIENT, headers={"X-Request-Id": "write-1"})
    await fhir.get("/Patient/p1", headers={"X-Request-Id": "read-1"})
    await fhir.get("/Patient/none", headers={"X-Request-Id": "read-2"})
    store = fhir_app.site.platform.store
    assert isinstance(store, MemoryStore)
    rows = [(row.work, row.agent, row.interaction, row.outcome) for _, row in store.audited]
    assert rows == [
        ("write-1", "Practitioner/tester", "update", 200),
        ("read-1", "Practitioner/tester", "read", 200),
        ("read-2", "Practitioner/tester", "read", 404),
    ]

"""Batch and transaction: https://hl7.org/fhir/R4/http.html#transaction, #trules, #brules."""

from typing import Any

import httpx
import pytest

MRN = "http://example.org/mrn"
URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e"


def entry(
    method: str, url: str, resource: object = None, full_url: str = "", **conditions: str
) -> dict[str, Any]:
    said: dict[str, Any] = {"request": {"method": method, "url": url, **conditions}}
    if resource is not None:
        said["resource"] = resource
    if full_url:
        said["fullUrl"] = full_url
    return said


def bundle(*entries: object, type: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def patient(number: str = "1", **more: object) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": MRN, "value": number}], **more}


def observation(subject: str, **more: object) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        **more,
    }


async def sent(fhir: httpx.AsyncClient, *entries: object, **headers: str) -> dict[str, Any]:
    answer = await fhir.post("/", json=bundle(*entries), headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == "transaction-response"
    return body


def statuses(body: dict[str, Any]) -> list[str]:
    return [each["response"]["status"][:3] for each in body.get("entry", [])]


async def count_of(fhir: httpx.AsyncClient, type: str) -> int:
    return int((await fhir.get(f"/{type}?_summary=count")).json()["total"])


async def test_new_resources_refer_to_one_another(fhir: httpx.AsyncClient) -> None:
    """#trules: urn:uuid references become the ids that the server gives, wherever FHIR has a uri"""
    body = await sent(
        fhir,
        entry(
            "POST", "Observation", observation(f"{URN}1", derivedFrom=[{"reference": f"{URN}3"}]), f"{URN}2"
        ),
        entry("POST", "Patient", patient(), f"{URN}1"),
        entry("POST", "Observation", observation(f"{URN}1"), f"{URN}3"),
    )
    assert statuses(body) == ["201"] * 3
    first, person, second = (each["response"]["location"].split("/_history/")[0] for each in body["entry"])
    assert [r.split("/")[0] for r in (first, person, second)] == ["Observation", "Patient", "Observation"]
    read = (await fhir.get(f"/{first}")).json()
    assert read["subject"] == {"reference": person}
    assert read["derivedFrom"] == [{"reference": second}]
    assert all(
        each["response"]["etag"] == 'W/"1"' and each["response"]["lastModified"] for each in body["entry"]
    )


async def test_references_are_put_right_in_uris_and_narrative_too(fhir: httpx.AsyncClient) -> None:
    """#trules: Reference.reference, uri, url, oid, uuid, and href and src of the narrative; plain text stays"""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}1">he</a> {URN}1</div>'
    parameters = {
        "resourceType": "Basic",
        "code": {"text": f"{URN}1"},
        "text": {"status": "generated", "div": div},
        "subject": {"reference": f"{URN}1"},
        "extension": [{"url": "http://example.org/x", "valueUri": f"{URN}1"}],
    }
    body = await sent(
        fhir, entry("POST", "Patient", patient(), f"{URN}1"), entry("POST", "Basic", parameters, f"{URN}2")
    )
    person, basic = (each["response"]["location"].split("/_history/")[0] for each in body["entry"])
    read = (await fhir.get(f"/{basic}")).json()
    assert read["subject"]["reference"] == read["extension"][0]["valueUri"] == person
    assert f'href="{person}"' in read["text"]["div"] and f" {URN}1" in read["text"]["div"]
    assert read["code"]["text"] == f"{URN}1"


@pytest.mark.parametrize("spelled", [f'"{URN}1"', '"urn\\u003auuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1"'])
@pytest.mark.parametrize("key", ["reference", "referenc\\u0065"])
async def test_escapes_change_nothing(fhir: httpx.AsyncClient, key: str, spelled: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc8259#section-7: an escaped reference is the same reference"""
    text = (
        '{"resourceType":"Bundle","type":"transaction","entry":['
        f'{{"fullUrl":"{URN}1","resource":{{"resourceType":"Patient"}},"request":{{"method":"POST","url":"Patient"}}}},'
        '{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        f'"subject":{{"{key}":{spelled}}}}},"request":{{"method":"POST","url":"Observation"}}}}]}}'
    )
    body = (await fhir.post("/", content=text)).json()
    person, other = (each["response"]["location"].split("/_history/")[0] for each in body["entry"])
    assert (await fhir.get(f"/{other}")).json()["subject"] == {"reference": person}


async def test_full_addresses_of_another_server(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/bundle.html#references: relative ones are meant below the entry's own fullUrl"""
    elsewhere = "https://elsewhere.example/fhir"
    body = await sent(
        fhir,
        entry("POST", "Patient", patient(id="7"), f"{elsewhere}/Patient/7"),
        entry("POST", "Observation", observation("Patient/7"), f"{elsewhere}/Observation/8"),
        entry("POST", "Observation", observation(f"{elsewhere}/Patient/7"), f"{URN}9"),
        entry("POST", "Observation", observation("Patient/7"), f"{URN}10"),
    )
    places = [each["response"]["location"].split("/_history/")[0] for each in body["entry"]]
    said = [(await fhir.get(f"/{place}")).json()["subject"]["reference"] for place in places[1:]]
    assert said == [places[0], places[0], "Patient/7"]


@pytest.mark.parametrize("number", ["9", "王", 'a"b'])
async def test_conditional_references(fhir: httpx.AsyncClient, number: str) -> None:
    """#trules: a search URI as a reference means the one resource that it finds"""
    there = (await fhir.post("/Patient", json=patient(number))).json()["id"]
    body = await sent(fhir, entry("POST", "Observation", observation(f"Patient?identifier={MRN}|{number}")))
    place = body["entry"][0]["response"]["location"].split("/_history/")[0]
    assert (await fhir.get(f"/{place}")).json()["subject"] == {"reference": f"Patient/{there}"}


async def test_a_reference_by_no_condition_at_all_is_refused(fhir: httpx.AsyncClient) -> None:
    """#trules: it would mean any patient"""
    entries = [entry("POST", "Observation", observation("Patient?"))]
    answer = await fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code in (400, 412), answer.text


async def test_every_kind_of_write_at_once(fhir: httpx.AsyncClient) -> None:
    """#trules: deletions, creates, updates, then reads; answers in the order asked"""
    await fhir.put("/Patient/old", json={"resourceType": "Patient", "id": "old"})
    await fhir.put("/Patient/there", json=patient("there", id="there"))
    steps = {"resourceType": "Binary", "contentType": "application/json-patch+json"}
    data = "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2FjdGl2ZSIsInZhbHVlIjp0cnVlfV0="
    await fhir.put("/Basic/b", json={"resourceType": "Basic", "id": "b", "code": {"text": "x"}})
    await fhir.put("/Patient/q", json={"resourceType": "Patient", "id": "q"})
    body = await sent(
        fhir,
        entry("GET", "Patient/new"),
        entry("PUT", "Patient/new", patient("new", id="new")),
        entry("PATCH", "Patient/q", steps | {"data": data}),
        entry("POST", "Patient", patient("there"), ifNoneExist=f"identifier={MRN}|there"),
        entry("PUT", f"Patient?identifier={MRN}|fresh", patient("fresh")),
        entry("DELETE", "Patient/old"),
        entry("DELETE", "Basic?_id=b"),
        entry("GET", "Patient?identifier=new"),
    )
    assert statuses(body) == ["200", "201", "200", "200", "201", "204", "204", "200"]
    assert body["entry"][0]["resource"]["id"] == "new"
    assert body["entry"][3]["response"]["location"] == "Patient/there/_history/1"
    assert body["entry"][7]["resource"]["entry"][0]["resource"]["id"] == "new"
    assert (await fhir.get("/Patient/q")).json()["active"] is True
    assert (await fhir.get("/Patient/old")).status_code == 410
    assert (await fhir.get("/Basic/b")).status_code == 410


@pytest.mark.parametrize(
    "bad, status, place",
    [
        (
            entry("POST", "Patient", {"resourceType": "Patient", "colour": "red"}),
            422,
            "Bundle.entry[1].resource.colour",
        ),
        (entry("POST", "Patient", {"resourceType": "Observation"}), 400, "Bundle.entry[1]"),
        (entry("POST", "Patient"), 400, "Bundle.entry[1]"),
        (
            entry("PUT", "Patient/x", {"resourceType": "Patient", "id": "y"}),
            400,
            "Bundle.entry[1].resource.id",
        ),
        (entry("PUT", "Patient/there", patient(id="there"), ifMatch='W/"7"'), 412, "Bundle.entry[1]"),
        (entry("POST", "Observation", observation(f"{URN}8")), 422, "Bundle.entry[1]"),
        (entry("POST", "Observation", observation(f"Patient?identifier={MRN}|none")), 412, ""),
        (entry("POST", "Patient", patient(), f"{URN}0"), 400, "Bundle.entry[1]"),
        (entry("GET", "Patient/none"), 404, "Bundle.entry[1]"),
        (entry("POST", "Nothing", {"resourceType": "Patient"}), 404, "Bundle.entry[1]"),
        (entry("POST", "Patient/_search"), 501, "Bundle.entry[1]"),
        (entry("DELETE", "Patient"), 400, "Bundle.entry[1]"),
        (entry("PUT", "Patient?colour=red", patient()), 400, "Bundle.entry[1]"),
        ({"resource": patient()}, 400, "Bundle.entry[1]"),
    ],
)
async def test_all_or_nothing(fhir: httpx.AsyncClient, bad: object, status: int, place: str) -> None:
    """#trules: one failure undoes all, and the outcome says which entry it was"""
    await fhir.put("/Patient/there", json=patient("there", id="there"))
    answer = await fhir.post("/", json=bundle(entry("POST", "Patient", patient(), f"{URN}0"), bad))
    issue = answer.json()["issue"][0]
    assert answer.status_code == status or (status == 400 and answer.status_code == 422), answer.text
    assert issue.get("expression", [""])[0].startswith(place), issue
    assert await count_of(fhir, "Patient") == 1


async def test_one_resource_is_written_once(fhir: httpx.AsyncClient) -> None:
    """#trules: identities may not overlap"""
    twice = [entry("PUT", "Patient/x", patient(id="x")), entry("DELETE", "Patient/x")]
    answer = await fhir.post("/", json=bundle(*twice))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]


async def test_a_batch_fails_entry_by_entry(fhir: httpx.AsyncClient) -> None:
    """#brules"""
    entries = [
        entry("PUT", "Patient/x", patient(id="x")),
        entry("POST", "Patient", {"resourceType": "Patient", "colour": "red"}),
        entry("GET", "Patient/x"),
        entry("GET", "Patient/none"),
        entry("GET", "Patient?_id=x"),
        entry("POST", "/", bundle()),
        entry("DELETE", "Patient/x", ifMatch='W/"9"'),
    ]
    answer = await fhir.post("/", json=bundle(*entries, type="batch"))
    body = answer.json()
    assert (answer.status_code, body["type"]) == (200, "batch-response")
    assert statuses(body) == ["201", "422", "200", "404", "200", "501", "412"]
    assert body["entry"][1]["response"]["outcome"]["issue"][0]["expression"] == ["Patient.colour"]
    assert body["entry"][2]["resource"]["id"] == "x"
    assert body["entry"][4]["resource"]["type"] == "searchset"


@pytest.mark.parametrize(
    "body, status",
    [
        ('{"resourceType":"Bundle","type":"collection"}', 400),
        ('{"resourceType":"Bundle"}', 422),
        ('{"resourceType":"Patient"}', 400),
        ('{"resourceType":"Bundle","type":"batch","colour":1}', 422),
        ('{"resourceType":"Bundle","type":"batch","type":"batch"}', 400),
        (
            '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient","x":1}}]}',
            422,
        ),
        (
            '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"SING","url":"Patient"}}]}',
            422,
        ),
        ('{"resourceType":"Bundle","type":"batch","entry":[7]}', 422),
        ('{"resourceType":"Bundle","type":"batch","entry":[', 400),
        ('{"resourceType":"Bundle","type":"transaction"}', 200),
    ],
)
async def test_what_is_no_bundle_of_requests(fhir: httpx.AsyncClient, body: str, status: int) -> None:
    """#transaction: the envelope is judged as strictly as any resource"""
    answer = await fhir.post("/", content=body)
    assert answer.status_code == status, answer.text


async def test_more_entries_than_the_limit(fhir: httpx.AsyncClient) -> None:
    """A Bundle has a bound"""
    answer = await fhir.post("/", json=bundle(*[entry("GET", "Patient/x")] * 61))
    assert answer.status_code == 413
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "cw-too-many"


async def test_representations_when_they_are_wanted(fhir: httpx.AsyncClient) -> None:
    """#return: the preference goes for every entry"""
    body = await sent(fhir, entry("POST", "Patient", patient()), Prefer="return=representation")
    assert body["entry"][0]["resource"]["identifier"][0]["value"] == "1"
    assert "resource" not in (await sent(fhir, entry("POST", "Patient", patient())))["entry"][0]

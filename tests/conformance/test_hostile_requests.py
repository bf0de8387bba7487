"""Requests meant to hurt: each is one clear outcome, in bounded time and memory, and the server goes on.

https://hl7.org/fhir/R4/security.html
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from commonweal.api.app import Api

LONG_ENOUGH = 30
"""Seconds no answer may take, even on a busy machine; what is unbounded takes for ever."""

DEEP = 10_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
INJECTIONS = (
    '\'; drop table record."Patient"; --',
    "' or '1'='1",
    "\\'; select pg_sleep(9); --",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "%00",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "%_%_%_%_%_%_%_%_%_%_",
    "\u202e\u0301\ufeff",
    "𝕳𝖊𝖑𝖑𝖔 王",
)


def patient(rest: str) -> str:
    return '{"resourceType":"Patient","id":"p1",' + rest + "}"


BODIES: list[tuple[str, str | bytes, set[int], str]] = [
    ("nothing", b"", {400}, "cw-not-json"),
    ("cut off", '{"resourceType":"Patient"', {400}, "cw-not-json"),
    ("not JSON", "resourceType=Patient", {400}, "cw-not-json"),
    ("not an object", "[1,2,3]", {400}, "cw-not-a-resource"),
    ("null", "null", {400}, "cw-not-a-resource"),
    ("no type", "{}", {400}, "cw-not-a-resource"),
    ("type of another kind", '{"resourceType":["Patient"]}', {400}, "cw-not-a-resource"),
    ("unknown type", '{"resourceType":"Robot"}', {400}, "cw-not-a-resource"),
    ("two documents", '{"resourceType":"Patient","id":"p1"}{"a":1}', {400}, "cw-not-json"),
    ("a key twice", patient('"active":true,"active":false'), {400}, "cw-duplicate-key"),
    ("an id twice", patient('"id":"p2"'), {400}, ""),
    ("not UTF-8", b'{"resourceType":"Patient","id":"p1","language":"\xff\xfe"}', {400}, "cw-not-utf8"),
    ("half a surrogate", patient('"language":"\\ud800"'), {400, 422}, ""),
    ("a zero byte", patient('"language":"a\\u0000b"'), {400, 422}, ""),
    ("deep arrays", patient('"name":' + "[" * DEEP + "]" * DEEP), {400}, "cw-too-deep"),
    ("deep objects", patient('"x":' + '{"x":' * DEEP + "1" + "}" * DEEP), {400}, "cw-too-deep"),
    (
        "deep extensions",
        patient('"extension":' + '[{"extension":' * 99 + "[]" + "}]" * 99),
        {400},
        "cw-too-deep",
    ),
    ("open brackets", "[" * 1_000_000, {400}, ""),
    ("a huge exponent", patient('"multipleBirthInteger":1e999999999'), {400, 422}, ""),
    ("a million digits", patient('"multipleBirthInteger":' + "9" * 1_000_000), {400, 422}, ""),
    ("too large an integer", patient('"multipleBirthInteger":99999999999999999999'), {400, 422}, ""),
    ("NaN", patient('"multipleBirthInteger":NaN'), {400}, "cw-not-json"),
    ("Infinity", patient('"multipleBirthInteger":-Infinity'), {400}, "cw-not-json"),
    ("a text for a boolean", patient('"active":"true"'), {422}, "cw-wrong-type"),
    ("an object for a list", patient('"name":{"family":"x"}'), {422}, "cw-wrong-type"),
    ("a list for a text", patient('"gender":["male"]'), {422}, "cw-wrong-type"),
    ("null", patient('"active":null'), {422}, "cw-null"),
    ("an empty object", patient('"maritalStatus":{}'), {422}, "cw-empty"),
    ("an empty list", patient('"name":[]'), {422}, "cw-empty"),
    ("an unknown element", patient('"colour":"red"'), {422}, "cw-unknown-element"),
    ("a prototype", patient('"__proto__":{"admin":true}'), {422}, "cw-unknown-element"),
    ("an unknown code", patient('"gender":"robot"'), {422}, ""),
    ("a day that is none", patient('"birthDate":"2026-02-30"'), {422}, "cw-bad-value"),
    ("a month that is none", patient('"birthDate":"2026-13"'), {422}, "cw-bad-value"),
    ("the year zero", patient('"birthDate":"0000-01-01"'), {422}, "cw-bad-value"),
    ("a date with text", patient('"birthDate":"1990-01-01; drop"'), {422}, "cw-bad-value"),
    (
        "two choices",
        patient('"deceasedBoolean":true,"deceasedDateTime":"2020"'),
        {422},
        "cw-too-many-choices",
    ),
    ("a script", patient('"text":{"status":"generated","div":"<div><script>x</script></div>"}'), {422}, ""),
    (
        "an entity bomb",
        patient('"text":{"status":"generated","div":"<!DOCTYPE x [<!ENTITY a \\"a\\">]><div>&a;</div>"}'),
        {422},
        "",
    ),
    (
        "base64 that explodes a pattern",
        patient('"photo":[{"data":"' + "A" * 100_000 + '!"}]'),
        {422},
        "cw-bad-value",
    ),
    ("spaces that explode a pattern", patient('"language":"' + " " * 100_000 + 'x"'), {422}, ""),
    ("a path for an id", '{"resourceType":"Patient","id":"../../etc"}', {400, 422}, ""),
    ("many faults", patient('"name":[' + ",".join(['{"x":1}'] * 5_000) + "]"), {422}, "cw-unknown-element"),
]


async def answered(fhir: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    """The answer, which must come in time and, when it refuses, be an outcome that tells nothing inside."""
    async with asyncio.timeout(LONG_ENOUGH):
        answer = await fhir.request(method, path, **more)
    assert answer.status_code < 500, answer.text[:500]
    if answer.status_code >= 400:
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"] and all(each["diagnostics"] for each in outcome["issue"])
        assert len(answer.content) < 100_000
        assert "Traceback" not in answer.text and ".py" not in answer.text
    return answer


async def is_unharmed(fhir: httpx.AsyncClient) -> bool:
    body = {"resourceType": "Patient", "id": "still-here"}
    await fhir.put("/Patient/still-here", json=body)
    return (await fhir.get("/Patient/still-here")).status_code == 200


@pytest.mark.parametrize("name, body, statuses, code", BODIES, ids=[case[0] for case in BODIES])
async def test_bodies(
    fhir: httpx.AsyncClient, name: str, body: str | bytes, statuses: set[int], code: str
) -> None:
    """Malformed, mistyped and malicious bodies, alone and inside a transaction"""
    answer = await answered(fhir, "PUT", "/Patient/p1", content=body)
    assert answer.status_code in statuses, answer.text[:300]
    codes = {each["details"]["coding"][0]["code"] for each in answer.json()["issue"]}
    assert not code or code in codes, codes
    text = body if isinstance(body, bytes) else body.encode()
    wrapped = (
        b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":%b,'
        b'"request":{"method":"PUT","url":"Patient/p1"}}]}' % text
    )
    inside = await answered(fhir, "POST", "/", content=wrapped)
    assert inside.status_code in (400, 413, 422), inside.text[:300]
    assert (await fhir.get("/Patient/p1")).status_code == 404
    assert await is_unharmed(fhir)


@pytest.mark.parametrize("text", INJECTIONS)
async def test_text_of_every_kind_is_only_text(fhir: httpx.AsyncClient, text: str) -> None:
    """SQL, HTML, paths and templates in every place that takes text come back as they were, or are refused"""
    body = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": text, "given": [text]}],
        "identifier": [{"system": "http://example.org/x", "value": text}],
        "address": [{"line": [text], "city": text}],
    }
    made = await answered(fhir, "PUT", "/Patient/p1", json=body)
    if made.status_code == 201:
        assert made.json()["name"][0]["family"] == text
        assert made.headers["content-type"].startswith("application/fhir+json")
    for name in (
        "name",
        "family:exact",
        "name:contains",
        "identifier",
        "identifier:text",
        "_id",
        "_tag",
        "address",
    ):
        await answered(fhir, "GET", "/Patient", params={name: text})
    await answered(fhir, "GET", "/Patient", params={text: "x"})
    await answered(fhir, "GET", "/Patient", params={"_sort": text, "_include": text, "_elements": text})
    await answered(fhir, "GET", "/Patient", params={"_cursor": text, "_count": text})
    await answered(fhir, "GET", "/Patient", headers={"If-None-Match": text.encode(), "Prefer": text.encode()})
    await answered(fhir, "POST", "/Patient/_search", data={"name": text, text: text}, headers=FORM)
    assert await is_unharmed(fhir)


ADDRESSES: list[tuple[str, str, set[int]]] = [
    ("an id that makes too long an address", "/Patient/" + "a" * 60_000, {414}),
    ("an id too long", "/Patient/" + "a" * 65, {404}),
    ("an id of dots", "/Patient/..%2F..%2Fetc%2Fpasswd", {404}),
    ("an id with a zero byte", "/Patient/a%00b", {404}),
    ("an id in another script", "/Patient/%E7%8E%8B", {404}),
    ("an id of digits in another script", "/Patient/%D9%A1", {404}),
    ("an id that is no UTF-8", "/Patient/%FF", {404}),
    ("a type of another case", "/patient/p1", {404}),
    ("a type with markup", "/<script>/p1", {404}),
    ("a version without end", "/Patient/p1/_history/" + "9" * 5_000, {404}),
    ("many segments", "/Patient" + "/x" * 4_000, {404}),
    ("many parameters", "/Patient?" + "a=1&" * 3_000, {413}),
    ("parameters that are no UTF-8", "/Patient?name=%FF%FE", {400}),
    ("an unknown modifier", "/Patient?name:sounds-like=x", {400}),
    ("a modifier without end", "/Patient?name" + ":exact" * 900 + "=x", {400}),
    ("a chain without end", "/Patient?" + "general-practitioner." * 600 + "name=x", {200, 400}),
    ("a _has without end", "/Patient?" + "_has:Observation:patient:" * 500 + "code=x", {200, 400}),
    ("values without end", "/Patient?_id=" + ",".join(["x"] * 5_000), {200, 400, 403, 422}),
    ("sorts without end", "/Patient?_sort=" + ",".join(["name"] * 2_000), {200, 400, 403, 422}),
    ("includes without end", "/Patient?" + "&".join(["_include:iterate=*"] * 150), {200, 400, 403, 422}),
    ("wildcards", "/Patient?name:contains=" + "%25_" * 500, {200, 400}),
    ("a hostile pattern", "/Patient?name=" + "(a%2B)%2B" * 400 + "$", {200, 400}),
    ("a date without end", "/Patient?birthdate=" + "9" * 5_000, {400}),
    ("a number without end", "/RiskAssessment?probability=1e" + "9" * 4_000, {400}),
    ("a number that is none", "/RiskAssessment?probability=NaN", {400}),
    ("a count beyond all", "/Patient?_count=" + "9" * 4_000, {200, 400}),
    ("a negative count", "/Patient?_count=-5", {400}),
    ("a count in another script", "/Patient/_history?_count=%D9%A1", {400}),
    ("a cursor made up", "/Patient?_cursor=eyJhIjoxfQ==", {400}),
    ("a cursor made up for a history", "/_history?_cursor=0'%20or%201=1", {400}),
    ("an operation made up", "/$" + "x" * 9_000, {404}),
]


@pytest.mark.parametrize("name, path, statuses", ADDRESSES, ids=[case[0] for case in ADDRESSES])
async def test_addresses(fhir: httpx.AsyncClient, name: str, path: str, statuses: set[int]) -> None:
    """Absurd ids, types, parameters, modifiers and values"""
    answer = await answered(fhir, "GET", path)
    assert answer.status_code in statuses, answer.text[:300]
    assert await is_unharmed(fhir)


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(fhir: httpx.AsyncClient) -> None:
    """413 by its stated length, and no later than at the limit when it states none"""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(800):
            taken += 65_536
            yield b" " * 65_536

    stated = await answered(
        fhir, "POST", "/Patient", content=endless(), headers={"Content-Length": "52428800"}
    )
    assert (stated.status_code, taken) == (413, 0)
    unstated = await answered(fhir, "POST", "/Patient", content=endless())
    assert unstated.status_code == 413
    assert taken <= 2_000_000 + 2 * 65_536
    assert await is_unharmed(fhir)


async def test_a_body_that_does_not_come_is_given_up(fhir_app: Api) -> None:
    """408 when the body stalls; nothing waits for ever"""
    fhir_app.site.limits = type(fhir_app.site.limits)(body_seconds=0.01)
    said: list[Any] = []
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not said:
            said.append("asked")
            return {"type": "http.request", "body": b"{", "more_body": True}
        await never.wait()
        raise AssertionError("unreachable")

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/fhir/Patient",
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"authorization", b"Bearer good"), (b"content-type", b"application/fhir+json")],
    }
    await fhir_app(scope, receive, send)
    assert said[1]["status"] == 408
    assert b"cw-slow-body" in said[2]["body"]


async def test_headers_without_end(fhir: httpx.AsyncClient) -> None:
    """431"""
    answer = await answered(fhir, "GET", "/Patient/p1", headers={"X-Long": "a" * 100_000})
    assert answer.status_code == 431


@pytest.mark.parametrize("host", ['evil"}', "<script>", "a b", "x" * 300, "evil.example/path"])
async def test_a_host_that_is_none(fhir: httpx.AsyncClient, host: str) -> None:
    """What goes into links is first looked at"""
    answer = await answered(fhir, "GET", "/Patient/p1", headers={"Host": host})
    assert answer.status_code == 400


async def test_a_form_of_a_search_is_short(fhir: httpx.AsyncClient) -> None:
    """413 before its escapes are read, which would take seconds"""
    body = b"name=" + b"%41" * 400_000
    answer = await answered(fhir, "POST", "/Patient/_search", content=body, headers=FORM)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (413, "too-long")
    assert await is_unharmed(fhir)


async def test_references_that_go_round_in_circles(fhir: httpx.AsyncClient) -> None:
    """Cyclic references are data: they are stored, and following them ends"""

    def observation(id: str, other: str) -> dict[str, Any]:
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "hasMember": [{"reference": f"urn:uuid:{other}"}],
        }
        return {
            "fullUrl": f"urn:uuid:{id}",
            "resource": resource,
            "request": {"method": "POST", "url": "Observation"},
        }

    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [observation("a", "b"), observation("b", "a"), observation("c", "c")],
    }
    made = await answered(fhir, "POST", "/", json=bundle)
    assert made.status_code == 200
    places = [each["response"]["location"] for each in made.json()["entry"]]
    assert len(set(places)) == 3
    found = await answered(fhir, "GET", "/Observation?_include:iterate=Observation:has-member&_count=1")
    assert found.status_code == 200
    assert 1 <= len(found.json()["entry"]) <= 3
    assert (
        await answered(fhir, "GET", "/Observation?has-member.has-member.has-member.status=final")
    ).is_success


@pytest.mark.parametrize("kind, statuses", [("batch", {200}), ("transaction", {403})])
async def test_a_bundle_of_reads_does_not_multiply(
    fhir: httpx.AsyncClient, fhir_app: Api, kind: str, statuses: set[int]
) -> None:
    """A few bytes may not ask for gigabytes: once the answers are large, no further one is worked out"""
    fhir_app.site.limits = replace(fhir_app.site.limits, answer_bytes=100_000)
    long = {"resourceType": "Basic", "id": "long", "code": {"text": "x" * 30_000}}
    assert (await fhir.put("/Basic/long", json=long)).is_success
    read = {"request": {"method": "GET", "url": "Basic/long"}}
    answer = await answered(
        fhir, "POST", "/", json={"resourceType": "Bundle", "type": kind, "entry": [read] * 50}
    )
    assert answer.status_code in statuses and len(answer.content) < 150_000
    assert "too-costly" in answer.text


async def test_a_list_of_batches_does_not_multiply(fhir: httpx.AsyncClient) -> None:
    """A batch inside a batch is refused, so that one request stays one request"""
    inner = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": "Patient"}}],
    }
    outer = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": inner, "request": {"method": "POST", "url": "/"}}] * 50,
    }
    answer = await answered(fhir, "POST", "/", json=outer)
    assert {each["response"]["status"][:3] for each in answer.json()["entry"]} == {"501"}

"""Forms of request and answer: https://hl7.org/fhir/R4/http.html#mime-type and #parameters."""

import gzip

import httpx
import pytest

from commonweal.api.app import Api

PATIENT = b'{"resourceType":"Patient","id":"p1"}'


@pytest.mark.parametrize(
    "accept, query, status",
    [
        ("application/fhir+json", "", 200),
        ("application/json", "", 200),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "", 200),
        ("application/fhir+json; fhirVersion=4.0", "", 200),
        ("application/fhir+json; fhirVersion=5.0", "", 406),
        ("application/fhir+xml", "", 406),
        ("application/fhir+json;q=0", "", 406),
        ("text/turtle, application/xml", "", 406),
        ("application/fhir+xml", "?_format=json", 200),
        ("application/fhir+json", "?_format=xml", 406),
        ("", "?_format=application/fhir%2Bjson", 200),
        ("", "?_format=application/fhir+json", 200),
        ("", "?_format=application/fhir%2Bxml", 406),
        ("", "?_format=ttl", 406),
    ],
)
async def test_only_json_is_given(fhir: httpx.AsyncClient, accept: str, query: str, status: int) -> None:
    """#mime-type: 406 where the server cannot give what is asked"""
    await fhir.put("/Patient/p1", content=PATIENT)
    answer = await fhir.get(f"/Patient/p1{query}", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/fhir+json")


@pytest.mark.parametrize(
    "media, status",
    [
        ("application/fhir+json", 201),
        ("application/fhir+json; charset=utf-8", 201),
        ("application/json;charset=UTF-8", 201),
        ("application/fhir+json; charset=latin-1", 415),
        ("application/fhir+json; fhirVersion=3.0", 415),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_only_json_is_taken(fhir: httpx.AsyncClient, media: str, status: int) -> None:
    """#mime-type: 415 for a body in another form"""
    answer = await fhir.put("/Patient/p1", content=PATIENT, headers={"Content-Type": media})
    assert answer.status_code == status


async def test_pretty_is_indented(fhir: httpx.AsyncClient) -> None:
    """#parameters"""
    await fhir.put("/Patient/p1", content=PATIENT)
    plain, pretty = await fhir.get("/Patient/p1"), await fhir.get("/Patient/p1?_pretty=true")
    assert b"\n" not in plain.content
    assert b'\n  "id": "p1"' in pretty.content
    assert plain.json() == pretty.json()


async def test_long_answers_are_packed_for_those_who_take_it(fhir: httpx.AsyncClient) -> None:
    """#mime-type: gzip is recommended"""
    for wanted, coding in (("gzip", "gzip"), ("identity", None)):
        answer = await fhir.get("/metadata", headers={"Accept-Encoding": wanted})
        assert answer.headers.get("content-encoding") == coding
        assert answer.json()["resourceType"] == "CapabilityStatement"
    short = await fhir.get("/Patient/none", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    "body, coding, status",
    [
        (gzip.compress(PATIENT), "gzip", 201),
        (PATIENT, "identity", 201),
        (PATIENT, "gzip", 400),
        (gzip.compress(PATIENT)[:-9], "gzip", 400),
        (gzip.compress(PATIENT)[:-4], "gzip", 400),
        (gzip.compress(b" " * 50_000_000), "gzip", 413),
        (PATIENT, "br", 415),
        (PATIENT, "gzip, gzip", 415),
    ],
)
async def test_packed_bodies(fhir: httpx.AsyncClient, body: bytes, coding: str, status: int) -> None:
    """A packed body is unpacked, a bomb no further than the limit"""
    answer = await fhir.put("/Patient/p1", content=body, headers={"Content-Encoding": coding})
    assert answer.status_code == status
    assert answer.json()["resourceType"] in ("Patient", "OperationOutcome")


@pytest.mark.parametrize(
    "path, allowed",
    [("/Patient/p1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"), ("/metadata", "GET, HEAD, OPTIONS")],
)
async def test_options_names_the_methods(fhir: httpx.AsyncClient, path: str, allowed: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#name-options; no CORS unless boot names origins"""
    answer = await fhir.options(path, headers={"Origin": "https://app.example"})
    assert (answer.status_code, answer.headers["allow"]) == (204, allowed)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("POST", "/metadata", 405),
        ("PUT", "/Patient/p1/_history", 405),
        ("DELETE", "/", 405),
        ("TRACE", "/Patient/p1", 405),
        ("GET", "/Nothing", 404),
        ("GET", "/Nothing/1", 404),
        ("GET", "/Patient/1/Nothing", 404),
        ("GET", "/Patient/1/2/3/4/5/6", 404),
        ("GET", "/Patient/_search/x", 404),
        ("GET", "/_nothing", 404),
        ("GET", "/Basic/1/Observation", 404),
        ("GET", "/metadata/x", 404),
        ("GET", "/_history/1", 404),
        ("GET", "/$nothing", 404),
    ],
)
async def test_addresses_that_are_none(fhir: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    """#summary"""
    answer = await fhir.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert ("allow" in answer.headers) is (status == 405)


async def test_pages_of_other_origins_only_when_boot_names_them(
    fhir: httpx.AsyncClient, fhir_app: Api
) -> None:
    """https://fetch.spec.whatwg.org/#http-cors-protocol"""
    fhir_app.site.origins = frozenset({"https://app.example"})
    friend, stranger = {"Origin": "https://app.example"}, {"Origin": "https://evil.example"}
    answer = await fhir.get("/metadata", headers=friend)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    asked = await fhir.options("/Patient/p1", headers=friend)
    assert "PATCH" in asked.headers["access-control-allow-methods"]
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    for refused in (
        await fhir.get("/metadata", headers=stranger),
        await fhir.options("/Patient", headers=stranger),
    ):
        assert "access-control-allow-origin" not in refused.headers


async def test_a_page_of_text_may_be_asked_as_such(fhir: httpx.AsyncClient) -> None:
    """#mime-type: what is no resource is not bound to FHIR's forms"""
    for query in ("", "?_pretty=true", "?_format=html"):
        answer = await fhir.get(f"/openapi.html{query}", headers={"Accept": "text/html"})
        assert answer.status_code == 200

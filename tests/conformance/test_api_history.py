"""Histories: https://hl7.org/fhir/R4/http.html#history."""

import httpx
import pytest

JSON = {"Content-Type": "application/fhir+json"}


async def given_versions(fhir: httpx.AsyncClient) -> None:
    for active in (True, False):
        body = {"resourceType": "Patient", "id": "p1", "active": active}
        await fhir.put("/Patient/p1", json=body)
    await fhir.put("/Basic/b1", json={"resourceType": "Basic", "id": "b1", "code": {"text": "x"}})
    await fhir.delete("/Patient/p1")


@pytest.mark.parametrize(
    "path, said",
    [
        (
            "/Patient/p1/_history",
            [("DELETE", "Patient/p1", "204"), ("PUT", "Patient/p1", "200"), ("POST", "Patient", "201")],
        ),
        ("/Patient/_history?_count=1", [("DELETE", "Patient/p1", "204")]),
        ("/_history?_count=2", [("DELETE", "Patient/p1", "204"), ("POST", "Basic", "201")]),
        ("/Basic/_history", [("POST", "Basic", "201")]),
        ("/_history?_since=2100-01-01T00:00:00Z", []),
    ],
)
async def test_versions_newest_first(
    fhir: httpx.AsyncClient, path: str, said: list[tuple[str, str, str]]
) -> None:
    """#history: each entry says what was asked and what came of it; a deletion has no resource"""
    await given_versions(fhir)
    answer = await fhir.get(path)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["type"] == "history"
    entries = bundle.get("entry", [])
    found = [(e["request"]["method"], e["request"]["url"], e["response"]["status"][:3]) for e in entries]
    assert found == said
    for entry in entries:
        assert ("resource" in entry) is (entry["request"]["method"] != "DELETE")
        assert entry["response"]["etag"].startswith('W/"')
        assert entry["response"]["lastModified"].endswith("Z")
        assert entry["fullUrl"].startswith("http://test/fhir/")


async def test_histories_have_pages(fhir: httpx.AsyncClient) -> None:
    """#history, #paging"""
    await given_versions(fhir)
    url, versions = "/Patient/p1/_history?_count=1", []
    while url:
        bundle = (await fhir.get(url)).json()
        versions += [entry["response"]["etag"] for entry in bundle["entry"]]
        url = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), "")
    assert versions == ['W/"3"', 'W/"2"', 'W/"1"']


@pytest.mark.parametrize(
    "path, status",
    [
        ("/Patient/never/_history", 404),
        ("/Patient/p1/_history?_count=0", 400),
        ("/Patient/p1/_history?_since=soon", 400),
        ("/Patient/p1/_history?_at=x", 400),
        ("/Patient/p1/_history?_cursor=x", 400),
    ],
)
async def test_histories_that_are_none(fhir: httpx.AsyncClient, path: str, status: int) -> None:
    """#history"""
    await given_versions(fhir)
    answer = await fhir.get(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"

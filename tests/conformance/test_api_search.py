"""Search as an interaction, its Bundles and links: https://hl7.org/fhir/R4/search.html, http.html#search, #paging."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def given_people(fhir: httpx.AsyncClient) -> None:
    for number, family in enumerate(("Wang", "Li", "Zhang", "Liu", "Chen"), 1):
        body = {
            "resourceType": "Patient",
            "id": f"p{number}",
            "name": [{"family": family}, {"use": "nickname", "given": [f"Nick{number}"]}],
            "birthDate": f"199{number}-01-01",
        }
        assert (await fhir.put(f"/Patient/p{number}", json=body)).status_code == 201
    for number in (1, 2, 3):
        body = {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": "Patient/p1" if number < 3 else "Patient/p2"},
            "effectiveDateTime": f"2026-01-0{number}",
        }
        assert (await fhir.put(f"/Observation/o{number}", json=body)).status_code == 201


def ids(bundle: dict[str, object], mode: str = "match") -> list[str]:
    entries = bundle.get("entry", [])
    assert isinstance(entries, list)
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] == mode]


def link(bundle: dict[str, object], relation: str) -> str | None:
    links = bundle.get("link", [])
    assert isinstance(links, list)
    return next((each["url"] for each in links if each["relation"] == relation), None)


@pytest.mark.parametrize(
    "path, found",
    [
        ("/Patient?_id=p1,p3&_sort=_id", ["p1", "p3"]),
        ("/Patient?family=Li&_sort=_id", ["p2", "p4"]),
        ("/Patient?family:exact=Li", ["p2"]),
        ("/Patient?birthdate=ge1994&_sort=birthdate", ["p4", "p5"]),
        ("/Patient?nickname=nick3", ["p3"]),
        ("/Observation?subject=Patient/p1&_sort=date", ["o1", "o2"]),
        ("/Observation?subject:Patient.family=Wang&_sort=-date", ["o2", "o1"]),
        ("/Patient?_has:Observation:patient:code=8867-4&_sort=_id", ["p1", "p2"]),
        ("/Patient/p1/Observation?_sort=date", ["o1", "o2"]),
        ("/Patient/p2/*?_type=Observation", ["o3"]),
        ("/?_type=Patient,Observation&_id=p1", ["p1"]),
        ("/Patient?family=nobody", []),
    ],
)
async def test_search_finds(fhir: httpx.AsyncClient, path: str, found: list[str]) -> None:
    """#search: by type, in a compartment, over all; a service's own parameter among them"""
    await given_people(fhir)
    answer = await fhir.get(path)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    assert ids(bundle) == found
    assert "total" not in bundle and ("entry" in bundle) is bool(found)
    for entry in bundle.get("entry", []):
        resource = entry["resource"]
        assert entry["fullUrl"] == f"http://test/fhir/{resource['resourceType']}/{resource['id']}"
        assert entry["search"] == {"mode": "match"}


@pytest.mark.parametrize(
    "path, form, found",
    [
        ("/Patient/_search", "family=Wang", ["p1"]),
        ("/Patient/_search?family=Wang", "", ["p1"]),
        ("/Patient/_search?family=Li", "family:exact=Li", ["p2"]),
        ("/_search", "_type=Patient&_id=p2", ["p2"]),
        ("/Patient/p1/Observation/_search", "_sort=date", ["o1", "o2"]),
    ],
)
async def test_search_by_form(fhir: httpx.AsyncClient, path: str, form: str, found: list[str]) -> None:
    """#search: POST takes parameters in the address and in the body"""
    await given_people(fhir)
    answer = await fhir.post(path, content=form, headers=FORM)
    assert answer.status_code == 200, answer.text
    assert ids(answer.json()) == found


async def test_a_form_is_a_form(fhir: httpx.AsyncClient) -> None:
    """#search: application/x-www-form-urlencoded only"""
    answer = await fhir.post("/Patient/_search", json={"family": "Wang"})
    assert answer.status_code == 415


async def test_pages_follow_one_another(fhir: httpx.AsyncClient) -> None:
    """#paging: next until the end; first and self along the way; a write in between moves nothing"""
    await given_people(fhir)
    url, found, pages = "/Patient?_count=2&_sort=_id", [], 0
    while url:
        bundle = (await fhir.get(url)).json()
        found += ids(bundle)
        pages += 1
        assert link(bundle, "self")
        assert (link(bundle, "first") is None) is (pages == 1)
        await fhir.put(f"/Patient/p0{pages}", json={"resourceType": "Patient", "id": f"p0{pages}"})
        url = link(bundle, "next") or ""
    assert (found, pages) == (["p1", "p2", "p3", "p4", "p5"], 3)


async def test_self_says_what_was_understood(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/search.html#conformance: unknown parameters are left out and told of"""
    await given_people(fhir)
    answer = await fhir.get("/Patient?family=Wang&colour=red&_format=json")
    bundle = answer.json()
    assert parse_qs(urlsplit(link(bundle, "self") or "").query) == {"family": ["Wang"]}
    outcome = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
    assert "colour" in outcome[0]["issue"][0]["diagnostics"]
    assert outcome[0]["issue"][0]["severity"] == "warning"


@pytest.mark.parametrize(
    "path, prefer, status",
    [
        ("/Patient?colour=red", "handling=strict", 400),
        ("/Patient?colour=red", "handling=lenient", 200),
        ("/Patient?family:loud=Wang", "", 400),
        ("/Patient?birthdate=yesterday", "", 400),
        ("/Patient?birthdate=2026-13-45", "", 400),
        ("/Observation?value-quantity=x", "", 400),
        ("/Patient?_count=-1", "", 400),
        ("/Patient?_count=x", "", 400),
        ("/Patient?_cursor=nonsense", "", 400),
        ("/Patient?_summary=brief", "", 400),
        ("/Patient?_sort=colour", "handling=strict", 400),
        ("/Patient?_include=Nothing:at-all", "", 400),
    ],
)
async def test_what_is_not_understood(fhir: httpx.AsyncClient, path: str, prefer: str, status: int) -> None:
    """https://hl7.org/fhir/R4/search.html#errors, http.html#lenient"""
    answer = await fhir.get(path, headers={"Prefer": prefer})
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["issue"][0]["severity"] == "error"


@pytest.mark.parametrize(
    "query, total, entries",
    [
        ("_total=accurate&_count=2", 5, 2),
        ("_summary=count", 5, 0),
        ("_count=0", 5, 0),
        ("_count=2", None, 2),
        ("_total=none&_count=2", None, 2),
    ],
)
async def test_totals_only_when_asked(
    fhir: httpx.AsyncClient, query: str, total: int | None, entries: int
) -> None:
    """https://hl7.org/fhir/R4/search.html#total"""
    await given_people(fhir)
    bundle = (await fhir.get(f"/Patient?{query}")).json()
    assert (bundle.get("total"), len(bundle.get("entry", []))) == (total, entries)


@pytest.mark.parametrize(
    "query, matches, included",
    [
        ("/Observation?_id=o3&_include=Observation:subject", ["o3"], ["p2"]),
        ("/Patient?_id=p2&_revinclude=Observation:subject", ["p2"], ["o3"]),
    ],
)
async def test_included_resources_are_marked(
    fhir: httpx.AsyncClient, query: str, matches: list[str], included: list[str]
) -> None:
    """https://hl7.org/fhir/R4/search.html#include, #modes"""
    await given_people(fhir)
    bundle = (await fhir.get(query)).json()
    assert (ids(bundle), ids(bundle, "include")) == (matches, included)


async def test_parts_of_what_is_found(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/search.html#elements"""
    await given_people(fhir)
    bundle = (await fhir.get("/Patient?_id=p1&_elements=birthDate")).json()
    resource = bundle["entry"][0]["resource"]
    assert set(resource) == {"resourceType", "id", "meta", "birthDate"}
    assert [tag["code"] for tag in resource["meta"]["tag"]] == ["SUBSETTED"]


async def test_no_page_is_larger_than_the_server_gives(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/search.html#count: a server may give fewer than asked"""
    await given_people(fhir)
    bundle = (await fhir.get("/Patient?_count=999999999")).json()
    assert parse_qs(urlsplit(link(bundle, "self") or "").query)["_count"] == ["100"]

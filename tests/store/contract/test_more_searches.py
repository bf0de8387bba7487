"""What goes around the matches: totals, pages, includes of every kind, many searches at once; asked of the store, and
of the interface above it. https://hl7.org/fhir/R4/search.html"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from commonweal import api
from commonweal.access import Agent
from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.platform.ports import Page
from tests.store.contract.speaking import Record, asked, observation, patient
from tests.store.test_again import TESTER, platform

Json = dict[str, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def to(type: str, id: str) -> Json:
    return {"reference": f"{type}/{id}"}


def world(own: str) -> list[Json]:
    """Two patients with many facts, a chain of organizations that ends where it begins, a circle of facts."""
    ward, clinic, state = (f"{own}o{n}" for n in range(3))
    named = ((ward, clinic, "Ward"), (clinic, state, "Clinic"), (state, ward, "State"))
    organizations = [
        {"resourceType": "Organization", "id": id, "name": own + name, "partOf": to("Organization", part)}
        for id, part, name in named
    ]
    encounter = {
        "resourceType": "Encounter", "id": own + "e", "status": "finished", "class": {"code": "AMB"},
        "subject": to("Patient", own + "p0"), "serviceProvider": to("Organization", clinic),
    }  # fmt: skip
    facts = [
        observation(
            f"{own}b{n:02}",
            f"Patient/{own}p{n % 2}",
            status="final" if n % 3 else "amended",
            code={"coding": [{"system": f"urn:{own}", "code": f"c{n % 4}"}]},
            **({"encounter": to("Encounter", own + "e")} if n % 2 == 0 and n < 10 else {}),
            hasMember=[to("Observation", f"{own}b{(n + 10) % 70:02}")] if n % 10 == 0 else [],
        )
        for n in range(70)
    ]
    for fact in facts:
        if not fact["hasMember"]:
            del fact["hasMember"]
    people = [
        patient(
            f"{own}p{n}",
            managingOrganization=to("Organization", ward),
            identifier=[{"system": f"urn:{own}", "value": f"{n}"}],
        )
        for n in range(2)
    ]
    return [*organizations, *people, encounter, *facts]


class World:
    def __init__(self, record: Record) -> None:
        self.store, self.own = record.store, record.fresh

    async def page(self, text: str, reach: Reach = EVERYTHING, **more: Any) -> Page:
        page: Page = await self.store.search(replace(asked(text.replace("OWN", self.own)), **more), reach)
        return page

    def names(self, page: Page) -> tuple[str, str]:
        """Matches and what is included, without the beginning of the ids."""
        short = (
            sorted(each.reference.replace(self.own, "") for each in stored)
            for stored in (page.matches, page.included)
        )
        matches, included = (" ".join(each) for each in short)
        return matches, included


@pytest.fixture
async def the(record: Record) -> World:
    await record.save(*world(record.fresh))
    return World(record)


FOUND = {
    # _has in _has, and through several types
    "Organization?_has:Encounter:service-provider:_has:Observation:encounter:status=amended": "o1",
    "Organization?_has:Patient:organization:_has:Observation:patient:_has:Observation:has-member:code=urn:OWN|c0": "o0",
    "Organization?_has:Patient:organization:_has:Encounter:patient:class=IMP": "",
    "Encounter?_has:Observation:encounter:code=urn:OWN|c2": "e",
    "Encounter?_has:Observation:encounter:code=urn:OWN|c1": "",
    "Patient?_has:Observation:patient:encounter.service-provider.name=OWNclinic": "p0",
    "Patient?_has:Observation:subject:status=amended&_has:Encounter:subject:class=AMB": "p0",
    # chains through several types
    "Observation?patient.organization.partof.partof.name=OWNstate&encounter.class=AMB": "b00 b02 b04 b06 b08",
    "Observation?encounter.service-provider.partof:Organization.name=OWNstate&code=urn:OWN|c0": "b00 b04 b08",
    "Observation?has-member.has-member.patient._id=OWNp0": "b00 b10 b20 b30 b40 b50 b60",
    "Observation?encounter:Encounter.subject:Patient.organization.name=nowhere": "",
    "Observation?subject:Patient._has:Encounter:patient:class=AMB&encounter=OWNe&status=amended": "b00 b06",
}


async def test_what_lies_several_references_away_is_found(the: World) -> None:
    found = {}
    for text in FOUND:
        page = await the.page(text + "&_count=100")
        ids = [each.id.removeprefix(the.own) for each in page.matches if each.id.startswith(the.own)]
        found[text] = " ".join(sorted(ids))
    assert found == FOUND


ORGANIZATIONS = "Organization/o0 Organization/o1 Organization/o2"
CIRCLE = "Observation/b00 Observation/b20 Observation/b30 Observation/b40 Observation/b50 Observation/b60"
REST = CIRCLE.replace("b00", "b10")
AROUND = "&_include:iterate=Encounter:service-provider"
INCLUDED = {
    "Observation?_id=OWNb00&_include=*": "Encounter/e Observation/b10 Patient/p0",
    "Observation?_id=OWNb00&_include:iterate=*": f"Encounter/e {REST} {ORGANIZATIONS} Patient/p0",
    "Observation?_id=OWNb10&_include:iterate=Observation:has-member": CIRCLE,
    "Observation?_id=OWNb10&_include=Observation:has-member": "Observation/b20",
    "Encounter?_id=OWNe&_include=Encounter:*": "Organization/o1 Patient/p0",
    "Patient?_id=OWNp0,OWNp1&_include=Patient:organization&_include:iterate=Organization:partof": ORGANIZATIONS,
    "Organization?_id=OWNo0&_include:iterate=Organization:partof": "Organization/o1 Organization/o2",
    "Organization?_id=OWNo2&_revinclude:iterate=Organization:partof": "Organization/o0 Organization/o1",
    "Patient?_id=OWNp0&_revinclude=Encounter:*" + AROUND: "Encounter/e Organization/o1",
    "Patient?_id=OWNp0&_revinclude=Encounter:patient:Group": "",
}


async def test_includes_go_as_far_as_asked_and_round_in_no_circle(the: World) -> None:
    assert {text: the.names(await the.page(text))[1] for text in INCLUDED} == INCLUDED


async def test_all_that_refers_to_a_page_is_included_however_much_and_to_that_page_alone(the: World) -> None:
    query = "Patient?identifier=urn:OWN|&_sort=_id&_count=1&_revinclude=Observation:patient&_total=accurate"
    first = await the.page(query)
    second = await the.page(query, cursor=first.next)
    for number, page in enumerate((first, second)):
        matches, included = the.names(page)
        assert (matches, page.total) == (f"Patient/p{number}", 2)
        assert included.split() == [f"Observation/b{n:02}" for n in range(number, 70, 2)]
    assert second.next is None


async def test_what_is_out_of_reach_is_neither_included_nor_counted(the: World) -> None:
    reach = Reach((Grant(patients=frozenset({f"Patient/{the.own}p0"})),))
    page = await the.page(
        "Patient?identifier=urn:OWN|&_revinclude=Observation:patient&_include=*&_total=accurate", reach
    )
    matches, included = the.names(page)
    assert (matches, page.total) == ("Patient/p0", 1)
    assert included.split() == [f"Observation/b{n:02}" for n in range(0, 70, 2)]


async def test_totals_count_matches_whatever_is_included_and_whichever_page_it_is(the: World) -> None:
    query = "Observation?code=urn:OWN|c0&_include=*&_count=5&_total=accurate"
    page = await the.page(query)
    assert (len(page.matches), page.total) == (5, 18)
    page = await the.page(query, cursor=page.next)
    assert (len(page.matches), page.total) == (5, 18)
    inside = {"compartment": ("Patient", f"{the.own}p0")}
    page = await the.page("Observation?_total=accurate&_count=3&_include=Observation:patient", **inside)
    assert (len(page.matches), page.total, the.names(page)[1]) == (3, 35, "Patient/p0")
    page = await the.page("?_total=accurate&_type=Observation,Encounter,Patient&_count=100", **inside)
    assert (len(page.matches), page.total) == (37, 37)
    page = await the.page("Observation?_total=accurate", compartment=("Encounter", f"{the.own}e"))
    assert page.total == 5


@pytest.mark.parametrize("none", ["_count=0", "_summary=count"])
async def test_only_the_number_is_told_where_nothing_else_is_asked(the: World, none: str) -> None:
    page = await the.page(f"Observation?code=urn:OWN|c0&_include=*&_revinclude=Observation:has-member&{none}")
    assert (page.matches, page.included, page.next, page.total) == ([], (), None, 18)


async def test_many_searches_asked_together_find_what_each_finds_alone(the: World) -> None:
    texts = [f"Observation?code=urn:OWN|c{n}&_id=OWNb{n:02}&_count=2" for n in range(120)]
    texts += ["Observation?code=urn:OWN|c0&_count=2", "Observation?status=final&patient=OWNp0&_count=3"]
    queries = [asked(text.replace("OWN", the.own)) for text in texts]
    pages = await the.store.search_all(queries, EVERYTHING)
    for query, page in zip(queries, pages, strict=True):
        alone = await the.store.search(query, EVERYTHING)
        assert page == Page(alone.matches)
    assert [len(page.matches) for page in pages] == [1] * 4 + [0] * 116 + [2, 3]
    assert await the.store.search_all([], EVERYTHING) == []
    nothing = await the.store.search_all(queries[:1], Reach(()))
    assert [list(page.matches) for page in nothing] == [[]]


@pytest.fixture
async def fhir(store: Any) -> AsyncIterator[httpx.AsyncClient]:
    async def authenticate(_: Any) -> Agent:
        return TESTER

    transport = httpx.ASGITransport(api.app(platform(store), authenticate))
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir") as client:
        yield client


def link(bundle: Json, relation: str) -> str:
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), "")


async def test_a_search_by_form_is_gone_on_with_by_its_links(the: World, fhir: httpx.AsyncClient) -> None:
    form = {"code": f"urn:{the.own}|c0", "_count": "10", "_sort": "_id", "_include": "Observation:patient"}
    answer = await fhir.post(
        "/Observation/_search?_total=accurate&status=final,amended",
        content=str(httpx.QueryParams(form)),
        headers=FORM,
    )
    first = answer.json()
    told = parse_qs(urlsplit(link(first, "self")).query)
    assert told == {
        "code": [f"urn:{the.own}|c0"], "status": ["final,amended"], "_sort": ["_id"], "_count": ["10"],
        "_include": ["Observation:patient"], "_total": ["accurate"],
    }  # fmt: skip
    again = (await fhir.get(link(first, "self"))).json()
    assert (again["entry"], again["total"]) == (first["entry"], 18)
    second = (await fhir.get(link(first, "next"))).json()
    assert link(second, "next") == ""
    assert (await fhir.get(link(second, "first"))).json()["entry"] == first["entry"]
    ids = [
        e["resource"]["id"]
        for page in (first, second)
        for e in page["entry"]
        if e["search"]["mode"] == "match"
    ]
    assert ids == [f"{the.own}b{n:02}" for n in range(0, 70, 4)]
    by_form = await fhir.post(f"/Observation/_search?{urlsplit(link(first, 'next')).query}", headers=FORM)
    assert by_form.json()["entry"] == second["entry"]


async def test_a_compartment_is_gone_on_with_by_its_links(the: World, fhir: httpx.AsyncClient) -> None:
    url, seen = f"/Patient/{the.own}p0/Observation?_count=20&_total=accurate", []
    while url:
        page = (await fhir.get(url)).json()
        assert page["total"] == 35
        assert urlsplit(link(page, "self")).path == f"/fhir/Patient/{the.own}p0/Observation"
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        url = link(page, "next")
    assert sorted(seen) == [f"{the.own}b{n:02}" for n in range(0, 70, 2)]


@pytest.mark.parametrize("none", ["_count=0", "_summary=count"])
async def test_the_interface_tells_only_the_number_where_nothing_else_is_asked(
    the: World, fhir: httpx.AsyncClient, none: str
) -> None:
    page = (await fhir.get(f"/Observation?code=urn:{the.own}|c0&_include=*&{none}")).json()
    assert (page["total"], page.get("entry")) == (18, None)
    assert [each["relation"] for each in page["link"]] == ["self"]

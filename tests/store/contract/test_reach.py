"""Who may see what: every way of asking, on every alias, tells no more than the reach allows."""

from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING, NOTHING, Grant, Reach
from commonweal.fhir.outcome import Problem
from tests.store.contract.speaking import Record, asked, observation, patient

SECRET = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


class County:
    """Two patients of two organizations, an observation of each, one of them labelled as secret."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.a, self.b = (f"{record.fresh}{name}" for name in "ab")
        self.own = {"code": "x", "system": record.fresh}

    async def fill(self) -> None:
        tag = {"meta": {"tag": [self.own]}}
        secret = {"meta": {"tag": [self.own], "security": [SECRET]}}
        org_a, org_b = f"Organization/{self.a}", f"Organization/{self.b}"
        await self.record.save(
            {"resourceType": "Organization", "id": self.a, "name": "North", **tag},
            {"resourceType": "Organization", "id": self.b, "name": "South", **tag},
            patient(self.a, name=[{"family": "Anders"}], managingOrganization={"reference": org_a}, **tag),
            patient(self.b, name=[{"family": "Berg"}], managingOrganization={"reference": org_b}, **tag),
            observation(self.a + "1", f"Patient/{self.a}", **tag),
            observation(self.a + "2", f"Patient/{self.a}", **secret),
            observation(self.b + "1", f"Patient/{self.b}", **tag),
        )

    async def ids(self, text: str, reach: Reach) -> list[str]:
        """Found among this county's own."""
        joined = "&" if "?" in text else "?"
        tag = f"{joined}_tag={self.own['system']}|x"
        return sorted(await self.record.ids(text + tag, reach))


@pytest.fixture
async def county(record: Record) -> County:
    county = County(record)
    await county.fill()
    return county


def to(county: County, **grant: Any) -> Reach:
    return Reach((Grant(**{name: frozenset(values) for name, values in grant.items()}),))


async def test_nothing_is_nothing_and_everything_is_everything(county: County) -> None:
    assert await county.ids("Patient", EVERYTHING) == [county.a, county.b]
    assert await county.ids("Patient", NOTHING) == []
    assert await county.record.store.get([("Patient", county.a)], NOTHING) == [None]
    assert await county.record.store.version("Patient", county.a, 1, NOTHING) is None


async def test_a_grant_of_a_type(county: County) -> None:
    reach = to(county, types=["Patient"])
    assert await county.ids("Patient", reach) == [county.a, county.b]
    assert await county.ids("Observation", reach) == []


async def test_a_grant_of_a_patient(county: County) -> None:
    reach = to(county, patients=[f"Patient/{county.a}"])
    assert await county.ids("Patient", reach) == [county.a]
    assert await county.ids("Observation", reach) == [county.a + "1", county.a + "2"]
    assert await county.ids("Organization", reach) == []


async def test_a_grant_of_an_organization(county: County) -> None:
    reach = to(county, organizations=[f"Organization/{county.b}"])
    assert await county.ids("Patient", reach) == [county.b]
    assert await county.ids("Organization", reach) == [county.b]
    assert await county.ids("Observation", reach) == []


async def test_a_grant_of_an_area(record: Record) -> None:
    id, place = record.fresh + "a", f"Location/{record.fresh}here"
    clinic = {"resourceType": "Location", "id": f"{record.fresh}here", "name": "here"}
    elsewhere = {"resourceType": "Location", "id": f"{record.fresh}there", "name": "there"}
    service = {"resourceType": "HealthcareService", "id": id, "location": [{"reference": place}]}
    await record.save(clinic, elsewhere, service)
    reach = Reach((Grant(areas=frozenset({place})),))
    assert await record.ids(f"Location?_id={clinic['id']},{elsewhere['id']}", reach) == [clinic["id"]]
    assert await record.ids(f"HealthcareService?_id={id}", reach) == [id]


async def test_all_conditions_of_a_grant_hold_and_any_of_the_grants(county: County) -> None:
    both = to(county, types=["Observation"], patients=[f"Patient/{county.a}"])
    assert await county.ids("Patient", both) == []
    assert await county.ids("Observation", both) == [county.a + "1", county.a + "2"]
    either = Reach((*both.grants, *to(county, types=["Patient"], patients=[f"Patient/{county.b}"]).grants))
    assert await county.ids("Patient", either) == [county.b]


async def test_what_bears_a_denied_label_is_not_there(county: County) -> None:
    reach = Reach((Grant(),), denied_labels=frozenset({f"{SECRET['system']}|R"}))
    assert await county.ids("Observation", reach) == [county.a + "1", county.b + "1"]
    assert await county.record.store.get([("Observation", county.a + "2")], reach) == [None]
    assert await county.record.store.count(asked(f"Observation?_id={county.a}2"), reach) == 0


async def test_a_denied_patient_is_not_there_with_all_about_them(county: County) -> None:
    reach = Reach((Grant(),), denied_patients=frozenset({f"Patient/{county.a}"}))
    assert await county.ids("Patient", reach) == [county.b]
    assert await county.ids("Observation", reach) == [county.b + "1"]
    assert await county.ids("Organization", reach) == [county.a, county.b], "what has no patient stays"


async def test_a_chain_sees_no_more_than_a_search(county: County) -> None:
    search = "Observation?subject:Patient.family=Anders"
    assert len(await county.ids(search, EVERYTHING)) == 2
    assert await county.ids(search, to(county, types=["Observation"])) == []
    two = f"Observation?subject:Patient.organization.name=South&_id={county.b}1"
    assert len(await county.ids(two, EVERYTHING)) == 1
    assert await county.ids(two, to(county, types=["Observation", "Patient"])) == []


async def test_has_sees_no_more_than_a_search(county: County) -> None:
    search = f"Patient?_has:Observation:patient:_id={county.a}2"
    assert await county.ids(search, EVERYTHING) == [county.a]
    assert await county.ids(search, to(county, types=["Patient"])) == []
    denied = Reach((Grant(),), denied_labels=frozenset({f"{SECRET['system']}|R"}))
    assert await county.ids(search, denied) == []


async def test_includes_bring_no_more_than_a_search(county: County) -> None:
    async def included(text: str, reach: Reach) -> list[str]:
        page = await county.record.store.search(asked(text), reach)
        return sorted(each.reference for each in page.included)

    forward = f"Observation?_id={county.a}1&_include=Observation:subject"
    assert await included(forward, EVERYTHING) == [f"Patient/{county.a}"]
    assert await included(forward, to(county, types=["Observation"])) == []
    back = f"Patient?_id={county.a}&_revinclude=Observation:subject"
    assert len(await included(back, EVERYTHING)) == 2
    denied = Reach((Grant(),), denied_labels=frozenset({f"{SECRET['system']}|R"}))
    assert await included(back, denied) == [f"Observation/{county.a}1"]


async def test_negation_sees_no_more_than_a_search(county: County) -> None:
    reach = to(county, patients=[f"Patient/{county.a}"])
    assert await county.ids("Patient?family:missing=false&gender:not=male", reach) == [county.a]


async def test_counts_and_scans_are_of_what_is_seen(county: County) -> None:
    reach = to(county, patients=[f"Patient/{county.a}"])
    query = asked(f"Observation?_tag={county.own['system']}|x")
    assert await county.record.store.count(query, reach) == 2
    scanned = [each.id async for each in county.record.store.scan(query, reach)]
    assert sorted(scanned) == [county.a + "1", county.a + "2"]


MASKED = Reach((Grant(),), masked=frozenset({"Patient.name"}))


@pytest.mark.parametrize(
    "text",
    [
        "Patient?name=x",
        "Patient?family=x",
        "Patient?family:missing=true",
        "Patient?_sort=name",
        "Observation?subject:Patient.family=x",
        "Organization?_has:Patient:organization:name=x",
        "?_type=Person,Patient&name=x",
        "Patient?_content=x",
        "Observation?subject:Patient._text=x",
    ],
)
async def test_a_masked_field_can_be_neither_searched_nor_sorted_by(record: Record, text: str) -> None:
    with pytest.raises(Problem) as refused:
        await record.store.search(asked(text), MASKED)
    assert refused.value.status == 403
    with pytest.raises(Problem):
        await record.store.count(asked(text), MASKED)
    with pytest.raises(Problem):
        [each async for each in record.store.scan(asked(text), MASKED)]


async def test_a_masked_field_is_not_returned(county: County) -> None:
    from commonweal.platform.ports import Scope

    store = county.record.store
    query = asked(f"Patient?_id={county.a}")
    include = asked(f"Observation?_id={county.a}1&_include=Observation:subject")
    shown = [
        *await store.get([("Patient", county.a)], MASKED),
        await store.version("Patient", county.a, 1, MASKED),
        *(await store.search(query, MASKED)).matches,
        *(await store.search(include, MASKED)).included,
        *(await store.history(Scope("Patient", county.a), MASKED)).matches,
        *[each async for each in store.scan(query, MASKED)],
    ]
    assert len(shown) == 6
    for each in shown:
        assert b"Anders" not in each.body
        assert b"managingOrganization" in each.body
        assert b"MASKED" in each.body
    assert b"Anders" in (await store.get([("Patient", county.a)], EVERYTHING))[0].body

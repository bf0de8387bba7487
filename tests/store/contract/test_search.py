"""Searching as https://hl7.org/fhir/R4/search.html tells it, as a table: a question and the ids it finds."""

from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from tests.store.contract.speaking import Record, asked, deletion, observation, patient

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"


def coded(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **more}]}


def mass(value: float, code: str) -> dict[str, Any]:
    return {"value": value, "unit": code, "system": UCUM, "code": code}


def to(type: str, id: str) -> dict[str, str]:
    return {"reference": f"{type}/{id}"}


def people(own: str) -> list[dict[str, Any]]:
    """A small hospital and its patients; ids begin with `own`."""
    return [
        {"resourceType": "Organization", "id": own + "o1", "name": "North Hospital"},
        {"resourceType": "Organization", "id": own + "o2", "name": "Ward", "partOf": to("Organization", own + "o1")},
        patient(
            own + "p1",
            name=[{"family": "Müller", "given": ["Änne", "Maria"]}],
            gender="female",
            birthDate="1980-02-29",
            active=True,
            identifier=[
                {"system": "urn:id", "value": "1", "type": coded("urn:types", "MR")},
                {"value": "bare"},
            ],
            managingOrganization=to("Organization", own + "o2"),
        ),
        patient(
            own + "p2",
            name=[{"family": "李", "given": ["小龙"]}, {"text": "Bruce Lee"}],
            gender="male",
            birthDate="1980",
            identifier=[{"system": "urn:other", "value": "1"}],
            managingOrganization=to("Organization", own + "o1"),
        ),
        patient(own + "p3", name=[{"family": "Mullen"}], deceasedDateTime="2020-01-01T10:00:00+02:00"),
    ]  # fmt: skip


def happenings(own: str) -> list[dict[str, Any]]:
    """What was done with them."""
    pressure = {"code": coded(LOINC, "8480-6"), "valueQuantity": mass(120, "mm[Hg]")}
    low = {"code": coded(LOINC, "8462-4"), "valueQuantity": mass(80, "mm[Hg]")}
    return [
        {
            "resourceType": "Encounter", "id": own + "e1", "status": "finished", "class": {"code": "AMB"},
            "subject": to("Patient", own + "p1"), "period": {"start": "2020-01-01", "end": "2020-01-31"},
        },
        {
            "resourceType": "Encounter", "id": own + "e2", "status": "in-progress", "class": {"code": "IMP"},
            "subject": to("Patient", own + "p2"), "period": {"start": "2020-01-15T12:00:00Z"},
        },
        observation(
            own + "b1", f"Patient/{own}p1", code=coded(LOINC, "29463-7", display="Body weight"),
            valueQuantity=mass(70, "kg"), effectiveDateTime="2020-01-10", encounter=to("Encounter", own + "e1"),
        ),
        observation(
            own + "b2", f"Patient/{own}p1", code=coded(SNOMED, "29463-7"),
            valueQuantity=mass(70500, "g"), effectiveDateTime="2020-01-10T23:30:00-02:00",
        ),
        observation(
            own + "b3", f"Patient/{own}p2", code={"text": "pressure"}, component=[pressure, low],
            effectivePeriod={"start": "2020-01-01", "end": "2020-03-01"}, status="amended",
        ),
        observation(own + "b4", f"Patient/{own}p3", valueString="Straße", hasMember=[to("Observation", own + "b1")]),
        {
            "resourceType": "RiskAssessment", "id": own + "r1", "status": "final",
            "prediction": [{"probabilityDecimal": 0.5}],
        },
        {
            "resourceType": "ValueSet", "id": own + "v1", "url": f"http://a.org/{own}/x/y", "status": "active",
        },
        {
            "resourceType": "List", "id": own + "l1", "status": "current", "mode": "working",
            "entry": [{"item": to("Patient", own + "p1")}, {"item": to("Patient", own + "p3")}],
        },
    ]  # fmt: skip


TABLE: list[tuple[str, str]] = [
    # token
    ("Patient?gender=female", "p1"),
    ("Patient?gender=female,male", "p1 p2"),
    ("Patient?gender:not=male", "p1 p3"),
    ("Patient?gender:missing=true", "p3"),
    ("Patient?gender:missing=false", "p1 p2"),
    ("Patient?gender=http://hl7.org/fhir/administrative-gender|male", "p2"),
    ("Patient?identifier=1", "p1 p2"),
    ("Patient?identifier=urn:id|1", "p1"),
    ("Patient?identifier=urn:id|", "p1"),
    ("Patient?identifier=|bare", "p1"),
    ("Patient?identifier=|1", ""),
    ("Patient?identifier:of-type=urn:types|MR|1", "p1"),
    ("Patient?active=true", "p1"),
    ("Patient?deceased=true", "p3"),
    ("Observation?code=29463-7", "b1 b2"),
    (f"Observation?code={LOINC}|29463-7", "b1"),
    ("Observation?code:text=body", "b1"),
    ("Observation?combo-code=8480-6", "b3"),
    ("Observation?status:not=final", "b3"),
    # string
    ("Patient?name=mul", "p1 p3"),
    ("Patient?name=MÜLL", "p1 p3"),
    ("Patient?family=muller", "p1"),
    ("Patient?family:exact=Muller", ""),
    ("Patient?family:exact=Müller", "p1"),
    ("Patient?name:contains=ull", "p1 p3"),
    ("Patient?name:contains=龙", "p2"),
    ("Patient?name=李", "p2"),
    ("Patient?name=lee", ""),
    ("Patient?name=bruce", "p2"),
    ("Patient?given=anne&given=maria", "p1"),
    ("Observation?value-string=strasse", "b4"),
    # date
    ("Patient?birthdate=1980", "p1 p2"),
    ("Patient?birthdate=1980-02-29", "p1"),
    ("Patient?birthdate=gt1980-01-15", "p1 p2"),
    ("Patient?birthdate=sa1980-01-15", "p1"),
    ("Patient?birthdate=lt1980-02-29", "p2"),
    ("Patient?birthdate=ne1980-02-29", "p2"),
    ("Patient?death-date=2020-01-01T08:00:00Z", "p3"),
    ("Observation?date=2020-01-10", "b1"),
    ("Observation?date=2020-01-11", "b2"),
    ("Observation?date=2020-01-10,2020-01-11", "b1 b2"),
    ("Observation?date=gt2020-02", "b3"),
    ("Observation?date=ge2020-01-11", "b2 b3"),
    ("Observation?date=eb2020-01-11", "b1"),
    ("Observation?date=ge2020-01-05&date=le2020-01-31", "b1 b2 b3"),
    ("Encounter?date=2020-01", "e1"),
    ("Encounter?date=gt2025", "e2"),
    ("Encounter?date=sa2020-01-10", "e2"),
    # quantity and number
    ("Observation?value-quantity=70", "b1"),
    (f"Observation?value-quantity=70|{UCUM}|kg", "b1"),
    (f"Observation?value-quantity=70.5|{UCUM}|kg", "b2"),
    (f"Observation?value-quantity=gt70|{UCUM}|kg", "b2"),
    (f"Observation?value-quantity=ap70|{UCUM}|kg", "b1 b2"),
    ("Observation?value-quantity=70||kg", "b1"),
    ("Observation?combo-value-quantity=gt100", "b2 b3"),
    ("Observation?component-value-quantity=lt100", "b3"),
    ("RiskAssessment?probability=0.5", "r1"),
    ("RiskAssessment?probability=gt0.5", ""),
    ("RiskAssessment?probability=ge0.50", "r1"),
    # composite
    ("Observation?component-code-value-quantity=8480-6$gt100", "b3"),
    ("Observation?component-code-value-quantity=8480-6$lt100", ""),
    (f"Observation?code-value-quantity={LOINC}|29463-7$ge70", "b1"),
    # uri
    ("ValueSet?url=http://a.org/OWN/x/y", "v1"),
    ("ValueSet?url=http://a.org/OWN/x", ""),
    ("ValueSet?url:below=http://a.org/OWN/x", "v1"),
    ("ValueSet?url:below=http://a.org/OWN/x/yz", ""),
    # reference and chains
    ("Observation?subject=Patient/OWNp1", "b1 b2"),
    ("Observation?subject=OWNp1", "b1 b2"),
    ("Observation?subject:Patient=OWNp1", "b1 b2"),
    ("Observation?patient=OWNp2,OWNp3", "b3 b4"),
    ("Observation?patient:missing=true", ""),
    ("Observation?subject:Patient.family=mul", "b1 b2 b4"),
    ("Observation?patient.gender=male", "b3"),
    ("Observation?subject:Patient.organization.name=north", "b3"),
    ("Observation?subject:Patient.organization.partof.name=north", "b1 b2"),
    ("Patient?_has:Observation:patient:code=29463-7", "p1"),
    ("Patient?_has:Observation:patient:encounter.class=AMB", "p1"),
    ("Organization?_has:Patient:organization:_has:Observation:patient:status=amended", "o1"),
    ("Observation?_has:Observation:has-member:status=final", "b1"),
    ("Patient?_list=OWNl1", "p1 p3"),
    ("Patient?_id=OWNp1,OWNp9", "p1"),
    ("Patient?_lastUpdated=gt2020&gender=male", "p2"),
    ("Patient?_lastUpdated=lt2020", ""),
    # all of several
    ("Patient?gender=female&birthdate=1980&name=anne&active=true", "p1"),
    ("Patient?gender=female&gender=male", ""),
]


class Hospital:
    def __init__(self, record: Record) -> None:
        self.record, self.own = record, record.fresh

    async def short(self, text: str) -> list[str]:
        """What is found of this hospital, without the beginning of the ids."""
        found = await self.record.ids(text.replace("OWN", self.own))
        return [id.removeprefix(self.own) for id in found if id.startswith(self.own)]


@pytest.fixture
async def hospital(record: Record) -> Hospital:
    await record.save(*people(record.fresh), *happenings(record.fresh))
    return Hospital(record)


async def test_each_question_finds_what_the_table_says(hospital: Hospital) -> None:
    differing = []
    for question, expected in TABLE:
        try:
            found = " ".join(sorted(await hospital.short(question)))
        except Problem as refused:
            found = f"{refused.status} {refused}"
        if found != expected:
            differing.append(f"{question}: {found or 'nothing'}, not {expected or 'nothing'}")
    assert not differing, "\n".join(differing)


SORTS = [
    ("Patient?_sort=family", "p3 p1 p2"),
    ("Patient?_sort=-family", "p2 p1 p3"),
    ("Patient?_sort=birthdate,_id", "p2 p1 p3"),
    ("Patient?_sort=-birthdate", "p1 p2 p3"),
    ("Patient?_sort=gender", "p1 p2 p3"),
    ("Patient?_sort=-gender,-_id", "p2 p1 p3"),
    ("Patient?_sort=_id", "p1 p2 p3"),
    ("Patient?_sort=-_id", "p3 p2 p1"),
    ("Observation?_sort=date,_id", "b3 b1 b2 b4"),
    ("Observation?_sort=-date", "b2 b1 b3 b4"),
    ("Observation?_sort=status,-_id", "b3 b4 b2 b1"),
    ("Observation?_sort=_lastUpdated,_id", "b1 b2 b3 b4"),
]


@pytest.mark.parametrize("count", ["", "&_count=1", "&_count=2"])
async def test_matches_come_sorted_what_has_no_value_last(hospital: Hospital, count: str) -> None:
    differing = []
    for question, expected in SORTS:
        ids = ",".join(f"OWN{each}" for each in expected.split())
        found = " ".join(await hospital.short(f"{question}&_id={ids}{count}"))
        if found != expected:
            differing.append(f"{question}: {found}, not {expected}")
    assert not differing, "\n".join(differing)


INCLUDES = [
    ("Observation?_id=OWNb1&_include=Observation:subject", "Patient/p1"),
    ("Observation?_id=OWNb1&_include=Observation:subject:Group", ""),
    ("Observation?_id=OWNb1&_include=Observation:*", "Encounter/e1 Patient/p1"),
    ("Observation?_id=OWNb1&_include=Observation:subject&_include=Patient:organization", "Patient/p1"),
    (
        "Observation?_id=OWNb1&_include=Observation:subject&_include:iterate=Patient:organization"
        "&_include:iterate=Organization:partof",
        "Organization/o1 Organization/o2 Patient/p1",
    ),
    ("Patient?_id=OWNp1&_revinclude=Observation:subject", "Observation/b1 Observation/b2"),
    ("Organization?_id=OWNo1,OWNo2&_include=Organization:partof", ""),
    (
        "Patient?_id=OWNp1&_revinclude=Observation:subject&_revinclude:iterate=Observation:has-member",
        "Observation/b1 Observation/b2 Observation/b4",
    ),
]


async def test_includes_bring_what_belongs_to_the_page(hospital: Hospital) -> None:
    differing = []
    for question, expected in INCLUDES:
        query = asked(question.replace("OWN", hospital.own))
        page = await hospital.record.store.search(query, EVERYTHING)
        found = " ".join(sorted(each.reference.replace(hospital.own, "") for each in page.included))
        if found != expected:
            differing.append(f"{question}: {found or 'nothing'}, not {expected or 'nothing'}")
    assert not differing, "\n".join(differing)


async def test_a_search_over_all_types(hospital: Hospital) -> None:
    own = f"{hospital.own}e1,{hospital.own}p1"
    assert sorted(await hospital.short(f"?_id={own}&_type=Patient,Encounter")) == ["e1", "p1"]
    assert sorted(await hospital.short(f"?_id={own}&_type=Encounter,Group")) == ["e1"]


async def test_totals_when_asked(hospital: Hospital) -> None:
    store, text = hospital.record.store, f"Patient?_id={hospital.own}p1,{hospital.own}p2&_count=1"
    assert (await store.search(asked(text), EVERYTHING)).total is None
    page = await store.search(asked(text + "&_total=accurate"), EVERYTHING)
    assert (page.total, len(page.matches)) == (2, 1)
    counted = await store.search(asked(f"Patient?_id={hospital.own}p1&_summary=count"), EVERYTHING)
    assert (counted.total, list(counted.matches), counted.next) == (1, [], None)
    assert await store.count(asked(text), EVERYTHING) == 2


@pytest.mark.parametrize("sort", ["", "&_sort=birthdate", "&_sort=-family,_id", "&_sort=-_lastUpdated"])
async def test_pages_stay_stable_while_others_write(record: Record, sort: str) -> None:
    own = [record.fresh + f"{number:02}" for number in range(9)]
    tag = {"meta": {"tag": [{"system": record.fresh, "code": "x"}]}}
    await record.save(
        *(
            patient(id, birthDate=f"198{n % 3}", name=[{"family": f"F{n % 4}"}], **tag)
            for n, id in enumerate(own)
        )
    )
    text = f"Patient?_tag={record.fresh}|x&_count=2{sort}"
    found: list[str] = []
    cursor = None
    for step in range(20):
        page = await record.store.search(asked(text, cursor), EVERYTHING)
        found += [each.id for each in page.matches]
        cursor = page.next
        if cursor is None:
            break
        await record.save(patient(f"{record.fresh}new{step}", birthDate="1981", **tag))
        gone = await record.write(deletion("Patient", found[0]))
        assert gone[0].deleted
    assert len(found) == len(set(found)), "nothing comes twice"
    assert set(own) <= set(found), "nothing that was there all the time is missed"


@pytest.mark.parametrize("cursor", ["x", "1", "....", "ééé", "A" * 5000, "eyJ4IjoxfQ=="])
async def test_a_cursor_that_is_none_is_refused(record: Record, cursor: str) -> None:
    for sort in ("", "&_sort=birthdate"):
        with pytest.raises(Problem) as refused:
            await record.store.search(asked(f"Patient?gender=male{sort}", cursor), EVERYTHING)
        assert refused.value.status == 400


async def test_a_scan_streams_every_match_in_one_order_and_within_its_time(record: Record) -> None:
    ids = [f"{record.fresh}{number:03}" for number in range(150)]
    tag = {"meta": {"tag": [{"system": record.fresh, "code": "x"}]}}
    await record.save(*(patient(id, **tag) for id in ids))
    (late,) = await record.save(patient(ids[7], gender="male", **tag))
    await record.write(deletion("Patient", ids[8]))
    query = asked(f"Patient?_tag={record.fresh}|x")
    left = [id for id in ids if id != ids[8]]
    once = [each.id async for each in record.store.scan(query, EVERYTHING)]
    again = [each.id async for each in record.store.scan(query, EVERYTHING)]
    assert once == again
    assert sorted(once) == left
    since = [each.id async for each in record.store.scan(query, EVERYTHING, since=late.updated)]
    until = [each.id async for each in record.store.scan(query, EVERYTHING, until=late.updated)]
    assert since == [ids[7]]
    assert sorted(until) == [id for id in left if id != ids[7]]

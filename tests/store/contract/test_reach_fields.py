"""Each field of a grant and of a reach, one after the other; every way of asking sees the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commonweal.access.reach import Grant, Reach
from commonweal.access.relationship import AREA, CARE, EMERGENCY, EMERGENCY_TASK, LIVES_IN, PROXY
from commonweal.platform.ports import Scope
from tests.store.contract.speaking import Record, asked, deletion, observation, patient

Json = dict[str, Any]
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PSY = f"{ACT}|PSY"


def day(days: int) -> str:
    """So many days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


class Ward:
    """Three patients, each with an observation: `a` and `b` in care of different doctors and living in different
    towns of one city, `c` known to nobody. Whatever is seen is told in letters: "A" the patient, "a" the rest."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.store = record.store

    def name(self, reference: str) -> str:
        type, _, id = reference.partition("/")
        return f"{type}/{self.record.fresh}{id}"

    def ref(self, reference: str) -> Json:
        return {"reference": self.name(reference)}

    def refs(self, *references: str) -> frozenset[str]:
        return frozenset(map(self.name, references))

    async def fill(self) -> None:
        fresh = self.record.fresh
        places = [("city", None), ("northtown", "city"), ("southtown", "city"), ("elsewhere", None)]
        for id, parent in places:
            part = {"partOf": self.ref(f"Location/{parent}")} if parent else {}
            await self.record.save({"resourceType": "Location", "id": fresh + id, "name": id, **part})
        await self.patient("a", "Practitioner/north", "Location/northtown")
        await self.patient("b", "Practitioner/south", "Location/southtown")
        await self.patient("c")
        for each in "abc":
            await self.save(observation(each, self.name(f"Patient/{each}")))

    async def patient(self, letter: str, doctor: str = "", town: str = "", **elements: Any) -> None:
        if doctor:
            elements["generalPractitioner"] = [self.ref(doctor)]
        if town:
            elements["extension"] = [{"url": LIVES_IN, "valueReference": self.ref(town)}]
        await self.save(patient(letter, **elements))

    async def save(self, *resources: Json) -> None:
        await self.record.save(*(each | {"id": self.record.fresh + each["id"]} for each in resources))

    async def encounter(self, letter: str, doctor: str, status: str, **period: str) -> None:
        await self.save(
            {
                "resourceType": "Encounter",
                "id": "e",
                "status": status,
                "class": {"code": "AMB"},
                "subject": self.ref(f"Patient/{letter}"),
                "participant": [{"individual": self.ref(doctor)}],
                **({"period": period} if period else {}),
            }
        )

    async def consent(self, letter: str, **provision: Any) -> None:
        system = "http://terminology.hl7.org/CodeSystem/consentscope"
        await self.save(
            {
                "resourceType": "Consent",
                "id": "s",
                "status": "active",
                "scope": {"coding": [{"system": system, "code": "patient-privacy"}]},
                "category": [{"text": "x"}],
                "patient": self.ref(f"Patient/{letter}"),
                "provision": provision,
            }
        )

    def actor(self, reference: str, role: str = "IRCP") -> Json:
        system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
        return {"role": {"coding": [{"system": system, "code": role}]}, "reference": self.ref(reference)}

    async def seen(self, reach: Reach) -> str:
        """The letters of what is seen of the patients and observations, found by every way and alike by all."""
        letters = ""
        for type in ("Patient", "Observation"):
            pairs = [(type, self.record.fresh + each) for each in "abc"]
            ids = ",".join(id for _, id in pairs)
            found = sorted(await self.record.ids(f"{type}?_id={ids}", reach))
            got = [each.id for each in await self.store.get(pairs, reach) if each]
            versions = [id for _, id in pairs if await self.store.version(type, id, 1, reach)]
            told = [id for _, id in pairs if (await self.store.history(Scope(type, id), reach)).matches]
            assert found == got == versions == told
            query = asked(f"{type}?_id={ids}")
            assert await self.store.count(query, reach) == len(found)
            assert sorted([each.id async for each in self.store.scan(query, reach)]) == found
            letters += "".join(id[-1].upper() if type == "Patient" else id[-1] for id in found)
            for _, id in pairs:
                about = await self.record.ids(f"Observation?patient=Patient/{id}&_id={ids}", reach)
                assert type == "Patient" or (set(about) <= set(found) and (id in about) == (id in found))
        return letters


@pytest.fixture
async def ward(record: Record) -> Ward:
    made = Ward(record)
    await made.fill()
    return made


def to(**fields: Any) -> Reach:
    return Reach((Grant(**fields),))


async def test_a_tie_of_care_leads_to_a_patient_and_all_about_them(ward: Ward) -> None:
    assert await ward.seen(to(parties=ward.refs("Practitioner/north"))) == "Aa"
    assert await ward.seen(to(parties=ward.refs("Practitioner/north", "Practitioner/south"))) == "ABab"
    assert await ward.seen(to(parties=ward.refs("Practitioner/nobody"))) == ""
    assert await ward.seen(to(parties=frozenset())) == ""


async def test_only_ties_of_the_kinds_that_are_named(ward: Ward) -> None:
    north = ward.refs("Practitioner/north")
    assert await ward.seen(to(parties=north, ties=frozenset((CARE,)))) == "Aa"
    assert await ward.seen(to(parties=north, ties=frozenset((PROXY, EMERGENCY)))) == ""
    assert await ward.seen(to(parties=ward.refs("Location/northtown"), ties=frozenset((AREA,)))) == "Aa"


async def test_a_tie_of_an_emergency_has_to_be_named(ward: Ward) -> None:
    system, code = EMERGENCY_TASK
    task = {"resourceType": "Task", "id": "t", "status": "in-progress", "intent": "order"}
    task |= {"code": {"coding": [{"system": system, "code": code}]}, "for": ward.ref("Patient/c")}
    task |= {"requester": ward.ref("Practitioner/er")}
    await ward.save(task | {"restriction": {"period": {"start": day(-1), "end": day(1)}}})
    er = ward.refs("Practitioner/er")
    assert await ward.seen(to(parties=er)) == ""
    assert await ward.seen(to(parties=er, ties=frozenset((EMERGENCY,)))) == "Cc"
    await ward.save(task | {"restriction": {"period": {"start": day(-3), "end": day(-2)}}})
    assert await ward.seen(to(parties=er, ties=frozenset((EMERGENCY,)))) == ""


async def test_a_tie_that_does_not_hold_now_is_none(ward: Ward) -> None:
    reach = to(parties=ward.refs("Practitioner/er"))
    await ward.encounter("c", "Practitioner/er", "in-progress")
    assert await ward.seen(reach) == "Cc"
    await ward.encounter("c", "Practitioner/er", "finished", start=day(-400), end=day(-399))
    assert await ward.seen(reach) == ""
    await ward.encounter("c", "Practitioner/er", "finished", start=day(-4), end=day(-3))
    assert await ward.seen(reach) == "Cc"
    await ward.record.write(deletion("Encounter", ward.record.fresh + "e"))
    assert await ward.seen(reach) == ""


async def test_an_area_is_what_lies_in_it_and_who_lives_in_it(ward: Ward) -> None:
    assert await ward.seen(to(areas=ward.refs("Location/northtown"))) == "Aa"
    city = to(areas=ward.refs("Location/city"))
    assert await ward.seen(city) == "ABab"
    assert await ward.seen(to(areas=ward.refs("Location/elsewhere"))) == ""
    ids = ",".join(ward.record.fresh + each for each in ("city", "northtown", "southtown", "elsewhere"))
    assert len(await ward.record.ids(f"Location?_id={ids}", city)) == 3
    clinic = {
        "resourceType": "HealthcareService",
        "id": "clinic",
        "location": [ward.ref("Location/southtown")],
    }
    await ward.save(clinic)
    assert len(await ward.record.ids(f"HealthcareService?_id={ward.record.fresh}clinic", city)) == 1


async def test_whoever_moves_is_seen_from_where_they_live_now(ward: Ward) -> None:
    await ward.patient("a", "Practitioner/north", "Location/elsewhere")
    assert await ward.seen(to(areas=ward.refs("Location/city"))) == "Bb"
    assert await ward.seen(to(areas=ward.refs("Location/elsewhere"))) == "Aa"


async def test_every_condition_of_a_grant_holds(ward: Ward) -> None:
    north, town = ward.refs("Practitioner/north"), ward.refs("Location/southtown")
    assert await ward.seen(to(parties=north, areas=town)) == ""
    assert await ward.seen(to(parties=north, areas=ward.refs("Location/city"))) == "Aa"
    assert await ward.seen(to(parties=north, patients=ward.refs("Patient/a", "Patient/b"))) == "Aa"
    assert await ward.seen(to(parties=north, types=frozenset(("Observation",)))) == "a"


async def test_within_every_group_one_grant_holds(ward: Ward) -> None:
    city = to(areas=ward.refs("Location/city"))
    assert await ward.seen(city.narrowed((Grant(patients=ward.refs("Patient/a", "Patient/c")),))) == "Aa"
    types = (Grant(types=frozenset(("Observation",))), Grant(patients=ward.refs("Patient/a")))
    assert await ward.seen(city.narrowed(types)) == "Aab"
    assert await ward.seen(city.narrowed(types).narrowed((Grant(patients=ward.refs("Patient/b")),))) == "b"
    assert await ward.seen(city.narrowed(())) == ""


async def test_criteria_are_met_by_the_row_itself(ward: Ward) -> None:
    await ward.save(observation("b", ward.name("Patient/b"), status="preliminary"))
    final = asked("Observation?status=final").where
    reach = Reach((Grant(types=frozenset(("Patient",))), Grant(criteria=final)))
    found = await ward.record.ids(
        f"Observation?_id={','.join(ward.record.fresh + each for each in 'abc')}", reach
    )
    assert [each[-1] for each in found] == ["a", "c"]
    scope = Scope("Observation", ward.record.fresh + "b")
    assert [each.version for each in (await ward.store.history(scope, reach)).matches] == [1]
    assert await ward.store.version("Observation", scope.id, 2, reach) is None
    chained = Grant(criteria=asked("Observation?subject:Patient.gender=male").where)
    assert await ward.seen(Reach((chained,))) == "", "what asks of other rows is asked of none"


async def test_a_denied_label_and_a_denied_patient(ward: Ward) -> None:
    meta = {"meta": {"security": [{"system": ACT, "code": "PSY"}]}}
    await ward.save(observation("d", ward.name("Patient/a"), **meta))
    every, secret = Reach((Grant(),)), f"Observation?_id={ward.record.fresh}d"
    assert len(await ward.record.ids(secret, every)) == 1
    assert await ward.record.ids(secret, Reach((Grant(),), denied_labels=frozenset((PSY,)))) == []
    denied = ward.refs("Patient/a")
    assert await ward.seen(Reach((Grant(),), denied_patients=denied)) == "BCbc"
    assert await ward.seen(Reach((Grant(unhindered=True),), denied_patients=denied)) == "ABCabc"


async def test_what_is_sensitive_is_seen_where_its_person_permits_it_by_name(ward: Ward) -> None:
    meta = {"meta": {"security": [{"system": ACT, "code": "PSY"}]}}
    await ward.save(observation("a", ward.name("Patient/a"), **meta))
    query = asked(f"Observation?_id={ward.record.fresh}a")

    async def sees(**fields: Any) -> bool:
        reach = Reach((Grant(),), sensitive=frozenset((PSY,)), purpose="TREAT", **fields)
        found = await ward.store.count(query, reach)
        current = (await ward.store.get([("Observation", ward.record.fresh + "a")], reach))[0]
        assert found == (current is not None)
        about = f"Observation?patient={ward.name('Patient/a')}&_id={ward.record.fresh}a"
        assert len(await ward.record.ids(about, reach)) == found
        return bool(found)

    north, south = ward.refs("Practitioner/north"), ward.refs("Practitioner/south")
    assert not await sees(parties=north)
    label = [{"system": ACT, "code": "PSY"}]
    await ward.consent("a", type="permit", actor=[ward.actor("Practitioner/north")], securityLabel=label)
    assert await sees(parties=north)
    assert not await sees(parties=south)
    assert not await sees(), "nobody is asked for their consent to whoever has no name"
    await ward.consent("a", type="permit", actor=[ward.actor("Practitioner/north")])
    assert not await sees(parties=north), "who permits all does not permit this"


async def test_what_is_sensitive_by_its_code_needs_nobody_to_label_it(ward: Ward) -> None:
    test = {"coding": [{"system": "http://loinc.org", "code": "7918-6"}]}
    await ward.save(observation("a", ward.name("Patient/a"), code=test))
    hiv = Reach((Grant(),), sensitive=frozenset((f"{ACT}|HIV",)), parties=ward.refs("Practitioner/north"))
    other = replace(hiv, sensitive=frozenset((PSY,)))
    place, query = [("Observation", ward.record.fresh + "a")], asked(f"Observation?_id={ward.record.fresh}a")
    assert (await ward.store.count(query, hiv), await ward.store.get(place, hiv)) == (0, [None])
    assert await ward.store.count(query, other) == 1
    (seen,) = await ward.store.get(place, other)
    assert seen is not None and b"HIV" not in seen.body, "the record itself is as it was written"


DENIALS: dict[str, tuple[Json, str, str]] = {
    "everybody": ({}, "TREAT", "BCbc"),
    "north": ({"actor": "Practitioner/north"}, "TREAT", "BCbc"),
    "somebody else": ({"actor": "Practitioner/south"}, "TREAT", "ABCabc"),
    "for research": ({"purpose": "HRESCH"}, "HRESCH", "BCbc"),
    "for another purpose": ({"purpose": "HRESCH"}, "TREAT", "ABCabc"),
    "of observations": ({"class": "Observation"}, "TREAT", "ABCbc"),
    "all but north": ({"but": "Practitioner/north"}, "TREAT", "ABCabc"),
    "all but south": ({"but": "Practitioner/south"}, "TREAT", "BCbc"),
    "of the past": ({"period": {"end": day(-10)}}, "TREAT", "ABCabc"),
    "of the time to come": ({"period": {"start": day(10)}}, "TREAT", "ABCabc"),
    "of labels": ({"label": "HIV"}, "TREAT", "ABCabc"),
}


@pytest.mark.parametrize("denial", DENIALS)
async def test_a_consent_that_denies(ward: Ward, denial: str) -> None:
    said, purpose, expected = DENIALS[denial]
    provision: Json = {"type": "deny"}
    if "actor" in said:
        provision["actor"] = [ward.actor(said["actor"])]
    if "purpose" in said:
        system = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
        provision["purpose"] = [{"system": system, "code": said["purpose"]}]
    if "class" in said:
        provision["class"] = [{"system": "http://hl7.org/fhir/resource-types", "code": said["class"]}]
    if "label" in said:
        provision["securityLabel"] = [{"system": ACT, "code": said["label"]}]
    if "but" in said:
        provision["provision"] = [{"type": "permit", "actor": [ward.actor(said["but"])]}]
    provision |= {name: said[name] for name in ("period",) if name in said}
    await ward.consent("a", **provision)
    asks = Reach((Grant(),), parties=ward.refs("Practitioner/north"), purpose=purpose)
    assert await ward.seen(asks) == expected
    assert (
        await ward.seen(Reach((Grant(unhindered=True),), parties=asks.parties, purpose=purpose)) == "ABCabc"
    )
    assert await ward.seen(Reach((Grant(),), purpose=purpose)) == "ABCabc", (
        "without a party consents are not asked"
    )


async def test_a_proxy_sees_whom_they_act_for(ward: Ward) -> None:
    await ward.consent("a", type="permit", actor=[ward.actor("Patient/c", "GUARD")])
    guardian = Grant(parties=ward.refs("Patient/c"), ties=frozenset((PROXY,)))
    assert await ward.seen(Reach((Grant(patients=ward.refs("Patient/c")), guardian))) == "ACac"
    await ward.consent("a", type="permit", actor=[ward.actor("Patient/c", "GUARD")], period={"end": day(-1)})
    assert await ward.seen(Reach((guardian,))) == ""


async def test_records_of_one_person_are_seen_together(ward: Ward) -> None:
    north, town = ward.refs("Practitioner/north"), ward.refs("Location/northtown")
    await ward.consent("a", type="deny", actor=[ward.actor("Practitioner/south")])
    one = {"link": [{"other": ward.ref("Patient/a"), "type": "replaces"}]}
    await ward.patient("c", **one)
    assert await ward.seen(to(parties=north)) == "ACac"
    assert await ward.seen(to(areas=town)) == "ACac"
    assert await ward.seen(to(patients=ward.refs("Patient/c"))) == "ACac"
    assert await ward.seen(Reach((Grant(),), denied_patients=ward.refs("Patient/c"))) == "Bb"
    assert await ward.seen(Reach((Grant(),), parties=ward.refs("Practitioner/south"))) == "Bb"
    await ward.patient("c")
    assert await ward.seen(to(parties=north)) == "Aa"

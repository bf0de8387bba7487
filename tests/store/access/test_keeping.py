"""Ties and rules are kept with the resources that make them, on both stores and whatever way these are written."""

import asyncio
from typing import Any

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.store.memory import MemoryStore
from tests.store.access.conftest import Keeper
from tests.store.contract.speaking import audited, change

Json = dict[str, Any]
SCOPE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
}


def encounter(keeper: Keeper, doctor: str = "d", status: str = "in-progress", id: str = "e") -> Json:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": status,
        "class": {"code": "AMB"},
        "subject": keeper.ref("Patient", "p"),
        "participant": [{"individual": keeper.ref("Practitioner", doctor)}],
    }


def consent(keeper: Keeper, **provision: Any) -> Json:
    return {
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "scope": SCOPE,
        "category": [{"text": "privacy"}],
        "patient": keeper.ref("Patient", "p"),
        "provision": provision,
    }


DOCTORS = ("Practitioner/d", "Practitioner/f")
D, F = (("care", each) for each in DOCTORS)


async def test_a_create_ties(keeper: Keeper) -> None:
    await keeper.create(encounter(keeper))
    assert await keeper.tied(*DOCTORS) == {D}


async def test_creates_of_one_moment_tie_all(keeper: Keeper) -> None:
    made = [encounter(keeper, doctor, id=f"e{doctor}") for doctor in "df"]
    await asyncio.gather(*(keeper.create(each) for each in made))
    assert await keeper.tied(*DOCTORS) == {D, F}


async def test_an_update_ties_anew(keeper: Keeper) -> None:
    await keeper.create(encounter(keeper))
    await keeper.save(encounter(keeper, "f"))
    assert await keeper.tied(*DOCTORS) == {F}
    await keeper.save(encounter(keeper, "f", "cancelled"))
    assert await keeper.tied(*DOCTORS) == set()


async def test_a_deletion_unties_and_what_comes_back_ties(keeper: Keeper) -> None:
    await keeper.create(encounter(keeper))
    await keeper.delete("Encounter/e")
    assert await keeper.tied(*DOCTORS) == set()
    await keeper.save(encounter(keeper, "f"))
    assert await keeper.tied(*DOCTORS) == {F}


async def test_what_is_written_twice_ties_once(keeper: Keeper) -> None:
    await keeper.save(encounter(keeper))
    await keeper.save(encounter(keeper))
    assert await keeper.tied(*DOCTORS) == {D}
    await keeper.delete("Encounter/e")
    assert await keeper.tied(*DOCTORS) == set()


async def test_two_resources_tie_apart(keeper: Keeper) -> None:
    await keeper.save(encounter(keeper, id="e1"), encounter(keeper, id="e2"))
    await keeper.delete("Encounter/e1")
    assert await keeper.tied(*DOCTORS) == {D}


async def test_many_types_at_once(keeper: Keeper) -> None:
    await keeper.save(encounter(keeper), consent(keeper, type="deny"), {"resourceType": "Patient", "id": "p"})
    found = await keeper.facts()
    assert await keeper.tied(*DOCTORS) == {D} and [rule.deny for rule in found.rules] == [True]


async def test_rules_go_with_their_consent(keeper: Keeper) -> None:
    barred = {"role": {"text": "r"}, "reference": keeper.ref("Practitioner", "d")}
    await keeper.create(consent(keeper, type="deny", actor=[barred]))
    (rule,) = (await keeper.facts()).rules
    assert rule.deny and rule.parties == {keeper.name("Practitioner/d")} and rule.but == frozenset()
    assert rule.concerns(frozenset((keeper.name("Practitioner/d"),)), "TREAT", "Observation", ())
    assert not rule.concerns(frozenset((keeper.name("Practitioner/f"),)), "TREAT", "Observation", ())
    await keeper.save(consent(keeper, type="deny", period={"end": "2020-01-01"}))
    assert (await keeper.facts()).rules == ()
    await keeper.delete("Consent/c")
    assert (await keeper.facts()).rules == ()


async def test_every_condition_of_a_rule_is_kept(keeper: Keeper) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    permit = {
        "type": "permit",
        "actor": [{"role": {"text": "r"}, "reference": keeper.ref("Organization", "o")}],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "ETREAT"}],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Condition"}],
        "securityLabel": [{"system": system, "code": "PSY"}],
        "period": {"start": "2020-01-01"},
    }
    await keeper.create(consent(keeper, **permit))
    (rule,) = (await keeper.facts()).rules
    label = f"{system}|PSY"
    labels = label if isinstance(keeper.store, MemoryStore) else keeper.store._engine.tokens.label(label)
    assert (rule.deny, rule.parties) == (False, {keeper.name("Organization/o")})
    assert rule.purposes == {"ETREAT", "BTG", "ERTREAT"}
    assert (rule.types, rule.labels) == ({"Condition"}, {labels})


async def test_a_transaction_that_fails_leaves_nothing(keeper: Keeper) -> None:
    class Undone(Exception):
        pass

    await keeper.save(encounter(keeper))
    with pytest.raises(Undone):
        async with keeper.store.transaction() as transaction:
            other = encounter(keeper, "f") | {"id": f"{keeper.fresh}e"}
            await transaction.write([change(other)], audited())
            raise Undone
    assert await keeper.tied(*DOCTORS) == {D}


async def test_a_write_that_is_refused_leaves_nothing(keeper: Keeper) -> None:
    await keeper.save(encounter(keeper))
    stale = change(encounter(keeper, "f") | {"id": f"{keeper.fresh}e"}, if_match=7)
    with pytest.raises(Problem):
        await keeper.store.write([stale], audited())
    assert await keeper.tied(*DOCTORS) == {D}


async def test_updates_at_once_leave_the_ties_of_the_last(keeper: Keeper) -> None:
    await keeper.save(encounter(keeper))
    names = [f"d{number}" for number in range(8)]
    await asyncio.gather(*(keeper.save(encounter(keeper, name)) for name in names))
    assert len(await keeper.tied(*(f"Practitioner/{name}" for name in names))) == 1


async def test_creates_in_bulk(keeper: Keeper) -> None:
    await keeper.save(*(encounter(keeper, f"d{number}", id=f"e{number}") for number in range(1200)))
    parties = [f"Practitioner/d{number}" for number in range(1200)]
    assert len(await keeper.tied(*parties)) == 1200

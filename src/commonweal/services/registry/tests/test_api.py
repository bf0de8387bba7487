"""The operations, as a machine asks for them."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from commonweal.access.agent import Agent
from commonweal.access.roles import REGISTRAR
from commonweal.boot.cli import commonweal
from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.services.registry.rules import numbers, people

Json = dict[str, Any]


def _parameters(**values: str) -> Json:
    said = [{"name": name.replace("_", "-"), "valueString": value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": said}


async def test_a_number_is_checked_without_looking_anybody_up(trial: Trial) -> None:
    async with trial.work() as work:
        asked = _parameters(system=numbers.RESIDENT, value="330106198803150027")
        answer = await work.operation("$identify", asked)
    assert answer["parameter"] == [
        {"name": "known", "valueBoolean": True},
        {"name": "valid", "valueBoolean": False},
        {"name": "reason", "valueString": "its check character does not fit its digits"},
    ]
    assert trial.store.audited == []


async def test_of_an_unknown_system_nothing_is_said(trial: Trial) -> None:
    async with trial.work() as work:
        answer = await work.operation("$identify", _parameters(system="http://hospital.example", value="7"))
    assert answer["parameter"] == [{"name": "known", "valueBoolean": False}]


def test_the_same_is_asked_of_a_file() -> None:
    asked = [{"system": numbers.RESIDENT, "value": "11010519491231002X"}, {"system": "x", "value": "1"}, {}]
    lines = "\n".join(map(json.dumps, asked))
    said = CliRunner().invoke(commonweal, ["ask", "identity"], input=lines).output.splitlines()
    assert [json.loads(line) for line in said] == [
        {"known": True, "valid": True, "reasons": [], "birthDate": "1949-12-31"},
        {"known": False, "valid": None, "reasons": []},
        {"error": "system and value must be texts"},
    ]


async def test_two_records_are_merged_and_split_by_those_who_may(trial: Trial) -> None:
    async with trial.work() as work:
        for id in ("one", "two"):
            await work.save({"resourceType": "Patient", "id": id})
    asked = _parameters(source_patient="Patient/one", target_patient="Patient/two", reason="same person")
    async with trial.work() as work:
        merged = await work.operation("Patient/$merge", asked)
        split = await work.operation("Patient/$unmerge", asked)
    assert merged["parameter"][0]["valueReference"] == {"reference": "Patient/two"}
    assert split["parameter"][0]["valueReference"] == {"reference": "Patient/one"}
    async with trial.work("nobody") as work:
        with pytest.raises(Problem) as refusal:
            await work.operation("Patient/$merge", asked)
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"source_patient": "Patient/one"}, "target-patient is missing"),
        ({"source_patient": "Group/one", "target_patient": "Patient/two"}, "must refer to a Patient"),
        ({"source_patient": "Patient/one", "target_patient": "Patient/two"}, "reason is missing"),
    ],
)
async def test_what_is_missing_is_named(trial: Trial, asked: dict[str, str], said: str) -> None:
    async with trial.work() as work:
        with pytest.raises(Problem, match=said):
            await work.operation("Patient/$merge", _parameters(**asked))


WANG = {
    "resourceType": "Patient",
    "name": [{"family": "王", "given": ["秀英"]}],
    "gender": "female",
    "birthDate": "1988-03-15",
    "identifier": [{"system": numbers.RESIDENT, "value": "330106198803150026"}],
}


def _desk(organization: str) -> Agent:
    return Agent("Practitioner/desk", frozenset({REGISTRAR}), "HOPERAT", f"Organization/{organization}")


async def _register(trial: Trial, organization: str, person: Json) -> list[Json]:
    asked = {"resourceType": "Parameters", "parameter": [{"name": "patient", "resource": person}]}
    async with trial.work(agent=_desk(organization)) as work:
        answer = await work.operation("Patient/$register", asked)
    found: list[Json] = answer["parameter"]
    return found


async def test_a_machine_registers_people_of_its_own_organization(trial: Trial) -> None:
    told, patient = await _register(
        trial, "one", WANG | {"managingOrganization": {"reference": "Organization/x"}}
    )
    assert told == {"name": "registered", "valueBoolean": True}
    async with trial.work(agent=_desk("one")) as work:
        (found,) = (await work.search("Patient?birthdate=1988-03-15")).matches
        assert found.reference == patient["valueReference"]["reference"]
        assert codec.parse(found.body)["managingOrganization"] == {"reference": "Organization/one"}


async def test_a_machine_is_not_told_who_has_the_number(trial: Trial) -> None:
    await _register(trial, "one", WANG)
    assert await _register(trial, "other", WANG) == [{"name": "registered", "valueBoolean": False}]
    async with trial.work(agent=_desk("other")) as work:
        assert not (await work.search("Patient?birthdate=1988-03-15")).matches
    async with trial.work(agent=_desk("other")) as work:
        with pytest.raises(Problem, match="cannot be registered in this way"):
            await work.save(WANG | {"managingOrganization": {"reference": "Organization/other"}})


async def test_a_provisional_record_is_no_way_around(trial: Trial) -> None:
    """Who claims the profile to have a number that others have is refused."""
    await _register(trial, "one", WANG)
    around = WANG | {
        "meta": {"profile": [people.PROVISIONAL]},
        "active": False,
        "link": [{"other": {"reference": "Patient/x"}, "type": "seealso"}],
        "managingOrganization": {"reference": "Organization/other"},
    }
    async with trial.work(agent=_desk("other")) as work:
        with pytest.raises(Problem, match="a provisional record claims no number"):
            await work.save(around)


@pytest.mark.parametrize("person", [{"resourceType": "Group"}, WANG | {"id": "mine"}])
async def test_what_is_registered_is_a_patient_without_an_id(trial: Trial, person: Json) -> None:
    with pytest.raises(Problem, match="must hold a Patient without an id"):
        await _register(trial, "one", person)

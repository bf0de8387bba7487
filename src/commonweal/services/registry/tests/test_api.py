"""The operations, as a machine asks for them."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from commonweal.boot.cli import commonweal
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.services.registry.rules import numbers

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

"""The operation by which machines set aside what they cannot take."""

from typing import Any

import pytest

from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem

Json = dict[str, Any]


def _parameters(**values: str) -> Json:
    said = [{"name": name, "valueString": value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": said}


async def test_a_machine_sets_a_message_aside(trial: Trial) -> None:
    async with trial.work() as work:
        answer = await work.operation("$quarantine", _parameters(place="MLLP 7, message 3", reason="no PID"))
        _, _, id = answer["parameter"][0]["valueReference"]["reference"].partition("/")
    async with trial.work() as work:
        assert await work.read("Task", id)


@pytest.mark.parametrize(
    "said", [{"place": "MLLP 7"}, {"reason": "no PID"}, {"place": "", "reason": "no PID"}]
)
async def test_it_says_where_and_why(trial: Trial, said: dict[str, str]) -> None:
    async with trial.work() as work:
        with pytest.raises(Problem, match="where a message came from"):
            await work.operation("$quarantine", _parameters(**said))

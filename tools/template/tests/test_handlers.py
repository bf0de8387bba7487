"""What happens by itself, when time passes."""

from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.services.template_service import actions, queries


async def test_what_nobody_takes_on_becomes_urgent(trial: Trial) -> None:
    async with trial.work() as work:
        duty = await actions.ask_for(work, "look at the eyes of class 3")
        assert await queries.open_duties(work) == 1
    await trial.pass_time(hours=23)
    assert await _priority(trial, duty.id) == "routine"
    await trial.pass_time(hours=2)
    assert await _priority(trial, duty.id) == "urgent"


async def _priority(trial: Trial, id: str) -> str:
    async with trial.work() as work:
        return str(codec.parse((await work.read("Task", id)).body)["priority"])

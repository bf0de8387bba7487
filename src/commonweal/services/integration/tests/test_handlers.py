"""What happens by itself when a duty waits."""

from dataclasses import replace
from typing import Any

from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.platform import Notice, Position
from commonweal.services.integration import actions, handlers, queries, rules

Json = dict[str, Any]


async def _quarantined(trial: Trial) -> str:
    async with trial.work() as work:
        return (await actions.quarantine(work, "people.ndjson:12", "there is no such type")).id


async def _seen(trial: Trial, id: str) -> tuple[str, list[str]]:
    async with trial.work() as work:
        task = codec.parse((await work.read("Task", id)).body)
    return task["priority"], [each["text"] for each in task.get("note", [])]


async def test_what_nobody_takes_on_becomes_more_urgent_and_says_so(trial: Trial) -> None:
    id = await _quarantined(trial)
    await trial.pass_time(hours=17)
    assert await _seen(trial, id) == ("routine", [])
    await trial.pass_time(hours=1)
    soon = "quarantined-message.due-soon: requested until 2026-01-06T09:00:00Z"
    assert await _seen(trial, id) == ("urgent", [soon])
    await trial.pass_time(hours=6)
    late = "quarantined-message.overdue: requested until 2026-01-06T09:00:00Z"
    assert await _seen(trial, id) == ("asap", [soon, late])
    await trial.pass_time(days=30)
    assert await _seen(trial, id) == ("asap", [soon, late])


async def test_taking_it_on_begins_another_time(trial: Trial) -> None:
    id = await _quarantined(trial)
    await trial.pass_time(hours=10)
    async with trial.work() as work:
        await actions.accept(work, id)
    await trial.pass_time(hours=20)
    assert await _seen(trial, id) == ("routine", [])
    await trial.pass_time(days=3)
    priority, notes = await _seen(trial, id)
    assert priority == "asap" and [each.partition(":")[0] for each in notes] == [
        "quarantined-message.due-soon",
        "quarantined-message.overdue",
    ]


async def test_what_is_closed_is_left_alone(trial: Trial) -> None:
    id = await _quarantined(trial)
    async with trial.work() as work:
        await actions.accept(work, id)
        await actions.complete(work, id, "sent again")
    await trial.pass_time(days=30)
    assert await _seen(trial, id) == ("routine", [])


async def test_a_notice_told_twice_is_heard_once(trial: Trial) -> None:
    id = await _quarantined(trial)
    async with trial.work() as work:
        assert await actions.escalate(work, id, "asap", "told")
        assert await actions.escalate(work, id, "asap", "told") is None


async def test_two_records_of_one_number_are_compared_once(trial: Trial) -> None:
    """The registry tells of it; a notice may come twice."""
    number = {"system": "urn:oid:2.16.156.10011.1.3", "value": "330106198803150026"}
    person = {
        "resourceType": "Patient", "name": [{"text": "王秀英"}], "gender": "female", "birthDate": "1988-03-15",
        "identifier": [number],
    }  # fmt: skip
    asked = {"resourceType": "Parameters", "parameter": [{"name": "patient", "resource": person}]}
    for _ in range(2):
        async with trial.work() as work:
            await work.operation("Patient/$register", asked)
    await trial.pass_time(minutes=1)
    async with trial.work() as work:
        (task,) = await queries.waiting(work, "match-review")
        notice = Notice(Position(), "registration.matched", "Patient", "new-2", 1, "Patient/new-2", "work")
        provisional = [each["reference"] for each in rules.given(task, "patient")]
        assert len(set(provisional)) == 2
        await handlers.compare(work, replace(notice, id=provisional[0].removeprefix("Patient/")))
        assert len(await queries.waiting(work, "match-review")) == 1

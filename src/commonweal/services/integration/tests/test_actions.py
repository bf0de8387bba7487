"""What is done with messages that wait, and with two records of one person."""

import base64
from typing import Any

import pytest

from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.services.integration import actions, queries, rules

Json = dict[str, Any]


async def _read(trial: Trial, type: str, id: str) -> Json:
    async with trial.work() as work:
        return codec.parse((await work.read(type, id)).body)


async def _quarantined(trial: Trial, content: str | None = '{"resourceType":"Patinet"}') -> str:
    async with trial.work() as work:
        return (await actions.quarantine(work, "people.ndjson:12", "there is no such type", content)).id


async def test_a_message_waits_with_all_that_is_known_of_it(trial: Trial) -> None:
    task = await _read(trial, "Task", await _quarantined(trial))
    assert rules.given(task, "place") == ["people.ndjson:12"]
    assert task["reasonCode"]["text"] == "there is no such type"
    assert task["owner"] == {"reference": "Practitioner/tester"}
    assert task["restriction"]["period"]["end"] == "2026-01-06T09:00:00Z"
    (content,) = rules.given(task, "content")
    assert base64.b64decode(content["data"]) == b'{"resourceType":"Patinet"}'


async def test_what_is_too_large_stays_at_its_place(trial: Trial) -> None:
    task = await _read(trial, "Task", await _quarantined(trial, "x" * 200_001))
    assert rules.given(task, "content") == []


async def test_it_is_taken_on_and_put_right(trial: Trial) -> None:
    id = await _quarantined(trial)
    async with trial.work() as work:
        assert [each["id"] for each in await queries.waiting(work, "quarantined-message")] == [id]
        await actions.accept(work, id)
        await actions.complete(work, id, "sent again by the hospital")
    async with trial.work() as work:
        assert await queries.waiting(work, "quarantined-message") == []


async def test_it_is_not_closed_without_a_word(trial: Trial) -> None:
    id = await _quarantined(trial)
    task = await _read(trial, "Task", id)
    async with trial.work() as work:
        with pytest.raises(Problem, match="may not go from requested to completed"):
            await work.save(task | {"status": "completed"})
    async with trial.work() as work:
        await actions.accept(work, id)
    async with trial.work() as work:
        with pytest.raises(Problem, match="why nothing can be made of it"):
            await work.save(task | {"status": "rejected"})
    async with trial.work() as work:
        await actions.reject(work, id, "an empty line")


async def test_two_records_of_one_person_become_one_with_the_end_of_the_review(trial: Trial) -> None:
    async with trial.work() as work:
        for id in ("one", "two"):
            await work.save({"resourceType": "Patient", "id": id})
        review = await actions.review_match(work, "one", "two", "same name, same day of birth")
        await actions.accept(work, review.id)
    async with trial.work() as work:
        await actions.merge_match(work, review.id, "one", "two", "they showed one card")
    assert (await _read(trial, "Patient", "one"))["link"][0]["type"] == "replaced-by"
    assert (await _read(trial, "Task", review.id))["status"] == "completed"


async def test_a_merge_that_is_refused_leaves_the_review_open(trial: Trial) -> None:
    async with trial.work() as work:
        for id in ("one", "two"):
            await work.save({"resourceType": "Patient", "id": id})
        review = await actions.review_match(work, "one", "two", "same name")
        await actions.accept(work, review.id)
    with pytest.raises(Problem, match="cannot be merged with itself"):
        async with trial.work() as work:
            await actions.merge_match(work, review.id, "one", "one", "a slip")
    assert (await _read(trial, "Task", review.id))["status"] == "accepted"

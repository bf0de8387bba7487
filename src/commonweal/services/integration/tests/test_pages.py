"""The pages, as an operator reads them and closes what waits."""

from collections.abc import Awaitable, Callable

import httpx

from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.services.integration import actions

Visit = Callable[..., Awaitable[httpx.Response]]


async def _quarantined(trial: Trial) -> str:
    async with trial.work() as work:
        stored = await actions.quarantine(work, "people.ndjson:12", "there is no such type", "<b>Patinet</b>")
    return stored.id


async def _status(trial: Trial, id: str) -> str:
    async with trial.work() as work:
        return str(codec.parse((await work.read("Task", id)).body)["status"])


async def test_what_waits_is_listed_with_its_reason(trial: Trial, visit: Visit) -> None:
    assert "No message waits." in (await visit("/waiting")).text
    id = await _quarantined(trial)
    page = (await visit("/waiting")).text
    assert f'<a href="/waiting/{id}">there is no such type</a>' in page and "people.ndjson:12" in page
    assert "待接手" in (await visit("/waiting", language="zh-Hans")).text


async def test_a_message_is_shown_as_it_came_and_nothing_in_it_acts(trial: Trial, visit: Visit) -> None:
    page = (await visit(f"/waiting/{await _quarantined(trial)}")).text
    assert "&lt;b&gt;Patinet&lt;/b&gt;" in page and "<b>Patinet" not in page


async def test_it_is_taken_on_and_closed_with_words(trial: Trial, visit: Visit) -> None:
    id = await _quarantined(trial)
    assert (await visit(f"/waiting/{id}", {"what": "accept"})).status_code == 303
    silent = await visit(f"/waiting/{id}", {"what": "complete", "words": " "})
    assert silent.status_code == 422 and '<a href="#words">' in silent.text
    assert (await visit(f"/waiting/{id}", {"what": "complete", "words": "sent again"})).status_code == 303
    assert await _status(trial, id) == "completed"
    assert "sent again" in (await visit(f"/waiting/{id}")).text


async def test_two_records_are_made_one_by_a_button(trial: Trial, visit: Visit) -> None:
    async with trial.work() as work:
        for id in ("one", "two"):
            await work.save({"resourceType": "Patient", "id": id})
        review = await actions.review_match(work, "one", "two", "same name")
        await actions.accept(work, review.id)
    said = {"what": "merge", "source": "one", "target": "two", "words": "one card"}
    assert (await visit(f"/waiting/{review.id}", said)).status_code == 303
    assert await _status(trial, review.id) == "completed"


async def test_whoever_may_not_close_is_told_why(visit: Visit) -> None:
    assert (await visit("/waiting", role="nobody")).status_code == 403

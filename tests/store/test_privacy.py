"""Privacy on PostgreSQL, by its own clock: an emergency access opens a record, once, and its end closes it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.platform import Draft
from commonweal.services.privacy.tests.county import (
    COUNTY,
    DESK,
    DOCTOR,
    NUMBERS,
    OFFICER,
    OTHER,
    WANG,
    ZHAO,
    reference,
)
from commonweal.store.beside.feed import PostgresFeed
from commonweal.store.postgres import PostgresStore

Json = dict[str, Any]
BY_NUMBER = {"identifier": NUMBERS["wang"], "birthDate": "1988-03-15"}


@pytest.fixture
async def county(postgres_store: PostgresStore) -> Trial:
    """The people of the county on PostgreSQL; the clock is today's, since the database has one of its own."""
    trial = Trial(
        kept=lambda clock: (postgres_store, PostgresFeed(postgres_store.pool, clock, delays=(0, 0)))
    )
    trial.now = datetime.now(UTC)
    async with trial.work() as work:
        await work.save_all([Draft(each) for each in COUNTY], imported=True)
    return trial


async def _ask(trial: Trial, agent: Agent, name: str, **values: str) -> Json:
    said = [{"name": key.replace("_", "-"), "valueString": value} for key, value in values.items()]
    async with trial.work(agent=agent) as work:
        return await work.operation(name, {"resourceType": "Parameters", "parameter": said})


async def _sees(trial: Trial, agent: Agent) -> bool:
    async with trial.work(agent=agent) as work:
        return bool((await work.search("Observation?subject=Patient/wang")).matches)


async def test_an_emergency_opens_a_record_until_it_is_ended(county: Trial) -> None:
    assert not await _sees(county, DOCTOR)
    asked = BY_NUMBER | {"code": "unconscious", "reason": "brought in unconscious without papers"}
    task = reference(await _ask(county, DOCTOR, "Patient/$emergency-access", **asked), "task")
    assert await _sees(county, DOCTOR) and not await _sees(county, OTHER)
    answer = {"task": task, "answer": "not-justified", "finding": "there was no emergency"}
    await _ask(county, OFFICER, "$privacy-answer", **answer)
    county.now = datetime.now(UTC)
    while await _sees(county, DOCTOR):  # the second in which it began is still its own
        await asyncio.sleep(0)


async def test_opening_twice_at_once_opens_once(county: Trial) -> None:
    async def opens() -> bool:
        asked = BY_NUMBER | {"code": "life-threatening", "reason": "a haemorrhage after delivery"}
        try:
            await _ask(county, DOCTOR, "Patient/$emergency-access", **asked)
        except Problem as problem:
            assert problem.status == 422 and "say a new reason" in str(problem)
            return False
        return True

    assert sum(await asyncio.gather(*(opens() for _ in range(4)))) == 1


async def test_an_arrival_and_a_proxy_open_what_they_should(county: Trial) -> None:
    await _ask(county, DESK, "Patient/$arrive", **BY_NUMBER, practitioner="Practitioner/li")
    assert await _sees(county, OTHER)
    until = f"{county.now.year + 1}-01-31"
    to_zhao = {"patient": "Patient/wang", "identifier": NUMBERS["zhao"], "family": "赵", "given": "安"}
    assert not await _sees(county, ZHAO)
    consent = await _ask(county, WANG, "Patient/$grant-proxy", **to_zhao, until=until)
    assert await _sees(county, ZHAO)
    await _ask(county, WANG, "$withdraw-consent", consent=reference(consent, "consent"))
    assert not await _sees(county, ZHAO)
    denial = {"patient": "Patient/wang", "type": "deny", "party": "Practitioner/li", "party_name": "李娜"}
    await _ask(county, WANG, "Patient/$give-consent", **denial)
    assert not await _sees(county, OTHER)

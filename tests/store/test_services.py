"""Services on PostgreSQL, with the dispatcher: deadlines fire, a number has one record, a merge is undone."""

import asyncio
from typing import Any

import pytest

from commonweal.boot.discovery import RECORD
from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue
from commonweal.store.beside.feed import PostgresFeed
from commonweal.store.postgres import PostgresStore

Json = dict[str, Any]
NUMBER = {"system": "urn:oid:2.16.156.10011.1.3", "value": "330106198803150026"}


@pytest.fixture
def installed(postgres_store: PostgresStore) -> Trial:
    """All services over PostgreSQL, with a clock set by hand; each test has ids of its own."""
    return Trial(kept=lambda clock: (postgres_store, PostgresFeed(postgres_store.pool, clock, delays=(0, 0))))


def _parameters(**values: str) -> Json:
    said = [{"name": name.replace("_", "-"), "valueString": value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": said}


async def _read(trial: Trial, reference: str) -> Json:
    type, _, id = reference.partition("/")
    async with trial.work() as work:
        return codec.parse((await work.read(type, id)).body)


async def test_a_message_that_nobody_takes_on_becomes_more_urgent(installed: Trial) -> None:
    async with installed.work() as work:
        answer = await work.operation("$quarantine", _parameters(place="line 12", reason="no such type"))
    task = answer["parameter"][0]["valueReference"]["reference"]
    await installed.pass_time(hours=17)
    assert (await _read(installed, task))["priority"] == "routine"
    await installed.pass_time(hours=2)
    assert (await _read(installed, task))["priority"] == "urgent"
    await installed.pass_time(hours=6)
    late = await _read(installed, task)
    assert late["priority"] == "asap"
    assert [each["text"].partition(":")[0] for each in late["note"]] == [
        "quarantined-message.due-soon",
        "quarantined-message.overdue",
    ]


async def test_two_who_register_one_number_at_once_make_one_record(installed: Trial) -> None:
    async def register(id: str) -> bool:
        try:
            async with installed.work() as work:
                await work.save({"resourceType": "Patient", "id": id, "identifier": [NUMBER]})
        except Problem as problem:
            assert problem.status == 422 and "cannot be registered in this way" in str(problem)
            return False
        return True

    assert sum(await asyncio.gather(*(register(f"number{each}") for each in range(6)))) == 1


async def test_a_merge_is_found_at_once_and_undone_completely(installed: Trial) -> None:
    async with installed.work() as work:
        for id in ("m1", "m2"):
            await work.save({"resourceType": "Patient", "id": id, "name": [{"family": id}]})
            fact = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
            await work.save(fact | {"id": f"of-{id}", "subject": {"reference": f"Patient/{id}"}})
    kinds = ("Patient/m1", "Patient/m2", "Observation/of-m1", "Observation/of-m2")
    before = [await _read(installed, each) for each in kinds]

    async def found(id: str) -> set[str]:
        async with installed.work() as work:
            return {each.id for each in (await work.search(f"Observation?patient={id}")).matches}

    asked = _parameters(source_patient="Patient/m1", target_patient="Patient/m2", reason="one person")
    async with installed.work() as work:
        await work.operation("Patient/$merge", asked)
    assert await found("m1") == await found("m2") == {"of-m1", "of-m2"}
    async with installed.work() as work:
        await work.operation("Patient/$unmerge", asked)
    assert [await found(id) for id in ("m1", "m2")] == [{"of-m1"}, {"of-m2"}]
    after = [await _read(installed, each) for each in kinds]
    assert [each | {"meta": None} for each in after] == [each | {"meta": None} for each in before]
    assert after[2:] == before[2:]


async def test_without_the_services_what_they_kept_can_still_be_read_and_written(installed: Trial) -> None:
    async with installed.work() as work:
        await work.save({"resourceType": "Patient", "id": "kept", "name": [{"family": "Kept"}]})
        await work.operation("$quarantine", _parameters(place="kept", reason="kept"))
    nobody = Trial(Catalogue([], permissions=RECORD), kept=lambda _: (installed.store, installed.feed))
    async with nobody.work() as work:
        kept = codec.parse((await work.read("Patient", "kept")).body)
        assert (await work.search("Task?status=requested")).matches
        await work.save(kept | {"identifier": [NUMBER | {"value": "anything"}]})
        with pytest.raises(Problem) as refusal:
            await work.operation("$quarantine", _parameters(place="x", reason="x"))
    assert refusal.value.status == 501

"""What only the record on PostgreSQL has to show: one statement, no lost update, text and columns agree."""

import asyncio
import json
from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change, Scope
from commonweal.store.postgres import PostgresStore
from commonweal.store.writes.batch import stamp
from tests.store.contract.speaking import audited, change, deletion, observation, patient


async def test_the_text_carries_the_version_and_time_of_its_columns(postgres_store: PostgresStore) -> None:
    (stored,) = await postgres_store.write([change(patient("text", gender="male"))], audited())
    (read,) = await postgres_store.get([("Patient", "text")], EVERYTHING)
    assert read is not None and read.body == stored.body and read.updated == stored.updated
    meta = json.loads(read.body)["meta"]
    assert meta == {"versionId": "1", "lastUpdated": stamp(read.updated)}


async def test_sixteen_updates_at_once_make_sixteen_versions(postgres_store: PostgresStore) -> None:
    async def update(number: int) -> Any:
        return await postgres_store.write([change(patient("many", multipleBirthInteger=number))], audited())

    answers = await asyncio.gather(*(update(number) for number in range(16)))
    assert sorted(stored.version for (stored,) in answers) == list(range(1, 17))
    page = await postgres_store.history(Scope("Patient", "many"), EVERYTHING)
    assert [stored.version for stored in page.matches] == list(range(16, 0, -1))
    assert {s.body for s in page.matches} == {stored.body for (stored,) in answers}


async def test_writes_that_cross_never_wait_for_each_other_in_a_circle(postgres_store: PostgresStore) -> None:
    ids = [f"cross{number}" for number in range(20)]

    async def write(number: int) -> None:
        order = ids if number % 2 else ids[::-1]
        changes = [change(patient(id, multipleBirthInteger=number)) for id in order]
        changes += [change(observation(id)) for id in order]
        await postgres_store.write(changes, audited())

    await asyncio.gather(*(write(number) for number in range(8)))
    found = await postgres_store.get([("Patient", id) for id in ids], EVERYTHING)
    assert [stored.version for stored in found if stored] == [8] * 20


async def test_all_types_of_one_write_are_written_or_none(postgres_store: PostgresStore) -> None:
    await postgres_store.write([change(patient("taken"), "create")], audited())
    before = await _rows(postgres_store)
    with pytest.raises(Problem) as refused:
        changes = [change(observation("o")), change(patient("free")), change(patient("taken"), "create")]
        await postgres_store.write(changes, audited())
    assert (refused.value.status, refused.value.index) == (409, 2)
    assert await _rows(postgres_store) == before


async def _rows(store: PostgresStore) -> list[int]:
    tables = ('record."Observation"', 'record."Patient"', "record.ranged", "beside.outbox", "beside.audit")
    return [await store.pool.fetchval(f"select count(*) from {table}") for table in tables]


async def test_thousands_at_once_are_answered_in_the_order_given(postgres_store: PostgresStore) -> None:
    ids = [f"bulk{number * 7919 % 2500}" for number in range(2500)]
    stored = await postgres_store.write([change(observation(id, "Patient/b")) for id in ids], audited("bulk"))
    assert [each.id for each in stored] == ids
    rows = await postgres_store.pool.fetchval("select count(*) from beside.audit where work = 'bulk'")
    assert rows == 1
    again = [change(observation(id, "Patient/b"), skip_same=True) for id in ids]
    assert {each.method for each in await postgres_store.write(again, audited())} == {"found"}


async def test_an_end_is_told_in_order_with_what_it_was_about(postgres_store: PostgresStore) -> None:
    await postgres_store.write([change(observation("ends", "Patient/whose"))], audited())
    await postgres_store.write([deletion("Observation", "ends")], audited())
    rows = await postgres_store.pool.fetch(
        "select topic, subject from beside.outbox where id = 'ends' order by xid, seq"
    )
    assert [tuple(row) for row in rows] == [
        ("Observation.created", "Patient/whose"),
        ("Observation.deleted", "Patient/whose"),
    ]


@pytest.mark.parametrize("id", ["", "a\0b", "x" * 65, '\'; drop table record."Patient"; --', "ü", "\ud800"])
async def test_what_is_no_id_is_not_there(postgres_store: PostgresStore, id: str) -> None:
    assert await postgres_store.get([("Patient", id)], EVERYTHING) == [None]
    assert await postgres_store.version("Patient", id, 1, EVERYTHING) is None


async def test_what_is_no_type_cannot_be_written_or_read(postgres_store: PostgresStore) -> None:
    assert await postgres_store.get([('Patient"; --', "x")], EVERYTHING) == [None]
    with pytest.raises(Problem) as refused:
        await postgres_store.write([Change("create", 'Patient"; --', "x", {})], audited())
    assert refused.value.status == 404


async def test_reads_of_one_moment_share_a_statement(postgres_store: PostgresStore) -> None:
    await postgres_store.write([change(patient(f"moment{number}")) for number in range(50)], audited())
    names = [("Patient", f"moment{number}") for number in range(50)]
    answers = await asyncio.gather(*(postgres_store.get([name], EVERYTHING) for name in names))
    assert [each.id for (each,) in answers if each] == [id for _, id in names]


async def test_one_reader_who_leaves_takes_no_other_along(postgres_store: PostgresStore) -> None:
    await postgres_store.write([change(patient("stays"))], audited())
    leaving = asyncio.create_task(postgres_store.get([("Patient", "stays")], EVERYTHING))
    staying = asyncio.create_task(postgres_store.get([("Patient", "stays")], EVERYTHING))
    await asyncio.sleep(0)
    leaving.cancel()
    (found,) = await staying
    assert (found is not None and leaving.cancelled() is False) or leaving.done()


async def test_a_lock_shows_what_was_committed_before_it_was_granted(postgres_store: PostgresStore) -> None:
    await postgres_store.write([change(patient("locked", multipleBirthInteger=0))], audited())

    async def add_one() -> None:
        async with postgres_store.transaction() as transaction:
            await transaction.lock(["Patient/locked"])
            (found,) = await transaction.get([("Patient", "locked")], EVERYTHING)
            assert found is not None
            number = json.loads(found.body)["multipleBirthInteger"]
            await transaction.write([change(patient("locked", multipleBirthInteger=number + 1))], audited())

    await asyncio.gather(*(add_one() for _ in range(7)))
    (found,) = await postgres_store.get([("Patient", "locked")], EVERYTHING)
    assert found is not None and json.loads(found.body)["multipleBirthInteger"] == 7


async def test_updates_of_one_moment_leave_the_ranges_of_the_last(postgres_store: Any) -> None:
    quantity = {"system": "http://unitsofmeasure.org", "code": "mg"}

    def valued(value: int) -> Change:
        return change(observation("ranged", "Patient/p", valueQuantity=quantity | {"value": value}))

    await postgres_store.write([valued(0)], audited())
    count = "select count(*) from record.ranged g join record.\"Observation\" o on o.key = g.row where o.id = 'ranged'"
    async with postgres_store.pool.acquire() as connection:
        once = await connection.fetchval(count)
        await asyncio.gather(*(postgres_store.write([valued(n)], audited()) for n in range(1, 17)))
        assert once and await connection.fetchval(count) == once

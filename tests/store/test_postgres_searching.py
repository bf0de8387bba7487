"""What only the record on PostgreSQL has to show of searches: shapes, plans, cursors, limits, people made one."""

import re
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Registry
from commonweal.platform.ports import Scope
from commonweal.store.postgres import PostgresStore
from commonweal.store.searches.ordering import by_columns
from commonweal.store.searches.selecting import Asked, Selecting, Statement
from tests.store.conftest import KEY
from tests.store.contract.speaking import asked, audited, change, observation, patient


def statement(store: PostgresStore, text: str) -> Statement:
    query = asked(text)
    selecting: Selecting = store._engine.searching._selecting
    return selecting.rows(Asked(query, EVERYTHING, [query.type or ""], {}), query.sort, 21, None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Observation?code=http://loinc.org|1", "Observation?code=|2,3,x|4"),
        ("Patient?name=a&birthdate=ge2000", "Patient?name=zz&birthdate=ge1999-01-01"),
        (
            "Observation?patient=1&code=2&date=ge2020&_sort=-date",
            "Observation?patient=x&code=a|b&date=ge1&_sort=-date",
        ),
        ("Observation?subject:Patient.name=a", "Observation?subject:Patient.name=bcd"),
    ],
)
async def test_searches_of_one_shape_are_one_statement(
    postgres_store: PostgresStore, one: str, other: str
) -> None:
    """So the server's prepared statements are used again; no value ever stands in the text."""
    assert (
        statement(postgres_store, one).text
        == statement(postgres_store, other.replace("ge1&", "ge1001&")).text
    )


async def test_a_search_about_a_patient_goes_by_the_patient(postgres_store: PostgresStore) -> None:
    found = statement(postgres_store, "Observation?patient=p&code=x|y&date=ge2020&_sort=-date")
    assert found.anchored
    rows = await postgres_store.pool.fetch(f"explain {found.text}", *found.values)
    assert "Observation_patient" in "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("Observation?date=ge2020", {"Observation_date", "Observation_long"}),
        ("Patient?birthdate=gt2020", {"Patient_date", "Patient_long"}),
        ("Encounter?date=ap2020", {"Encounter_date"}),
        ("Observation?_lastUpdated=ge2020", {"Observation_updated"}),
        ("Encounter?_has:Observation:encounter:_id=x", {"Encounter_self"}),
        ("Patient?identifier=x|y&_count=1", {"Patient_tok"}),
    ],
)
async def test_indexes_can_answer(postgres_store: PostgresStore, text: str, indexes: set[str]) -> None:
    found = statement(postgres_store, text)
    async with postgres_store.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        await connection.execute(
            "set local enable_indexscan = off; set local plan_cache_mode = force_custom_plan"
        )
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {found.text}", *found.values))
    assert indexes <= set(re.findall(r'"(\w+)"', plan)), plan


@pytest.mark.parametrize(
    ("text", "is_possible"),
    [
        ("Patient?_sort=gender,-active,birthdate,_id", True),
        ("ValueSet?_sort=url,-status,_lastUpdated", True),
        ("Patient?_sort=identifier", False),
        ("Encounter?_sort=status,class", False),
        ("Observation?_sort=subject", False),
    ],
)
async def test_the_database_sorts_by_what_it_can_read(
    postgres_store: PostgresStore, text: str, is_possible: bool
) -> None:
    query = asked(text)
    assert by_columns(query.sort, [postgres_store._engine.facts.of(query.type or "")]) == is_possible


@pytest.mark.parametrize("text", ["x", "", "AAAA", "é", "A" * 5000, "!!", "eyJhIjoxfQ"])
async def test_a_cursor_that_we_did_not_write_is_refused(postgres_store: PostgresStore, text: str) -> None:
    with pytest.raises(Problem) as refused:
        await postgres_store.history(Scope("Patient", cursor=text or "?"), EVERYTHING)
    assert refused.value.status == 400
    with pytest.raises(Problem) as refused:
        await postgres_store.search(asked("Patient?name=x", cursor=text or "?"), EVERYTHING)
    assert refused.value.status == 400


async def test_a_cursor_belongs_to_its_search(postgres_store: PostgresStore) -> None:
    await postgres_store.write([change(patient(f"cursor{number}")) for number in range(3)], audited())
    page = await postgres_store.search(asked("Patient?_count=1"), EVERYTHING)
    assert page.next is not None
    altered = page.next[:-2] + ("AA" if page.next[-2:] != "AA" else "BB")
    for query in (asked("Patient?_sort=-_id", cursor=page.next), asked("Patient?_count=1", cursor=altered)):
        with pytest.raises(Problem):
            await postgres_store.search(query, EVERYTHING)


async def test_pages_neither_repeat_nor_skip_while_others_write(postgres_store: PostgresStore) -> None:
    tag = {"meta": {"tag": [{"code": "paged"}]}}
    ids = [f"paged{number:02}" for number in range(12)]
    await postgres_store.write([change(patient(id, **tag)) for id in ids], audited())
    query, seen = asked("Patient?_tag=paged&_count=5&_sort=_id"), []
    while True:
        page = await postgres_store.search(query, EVERYTHING)
        seen += [stored.id for stored in page.matches]
        if page.next is None:
            break
        query = replace(query, cursor=page.next)
        await postgres_store.write(
            [change(patient("paged00a", **tag)), change(patient(ids[-1], **tag))], audited()
        )
    assert seen == ids


async def test_a_search_that_takes_too_long_is_ended(database: str, registry: Registry) -> None:
    store = await PostgresStore.open(database, KEY, registry, search_seconds=0.2)
    blocker: Any = await asyncpg.connect(database)
    try:
        async with blocker.transaction():
            await blocker.execute('lock record."Basic" in exclusive mode; lock record."Basic"')
            with pytest.raises(Problem) as refused:
                await store.search(asked("Basic?code=x"), EVERYTHING)
        assert [issue.details for issue in refused.value.issues] == ["cw-too-costly"]
        assert (await store.search(asked("Basic?code=x"), EVERYTHING)).matches == []
    finally:
        await blocker.close()
        await store.close()


async def test_no_value_of_a_search_ever_stands_in_its_statement(postgres_store: PostgresStore) -> None:
    hostile = 'x\'; drop table record."Patient" --'
    for text in (
        f"Patient?name={hostile}",
        f"Patient?name:contains={hostile}",
        f"Patient?identifier={hostile}|{hostile}",
    ):
        assert not re.search("drop table", statement(postgres_store, text).text)
        assert (await postgres_store.search(asked(text), EVERYTHING)).matches == []


async def test_what_another_process_calls_a_new_thing_is_found_at_once(
    postgres_store: PostgresStore, database: str, registry: Registry
) -> None:
    """The sets of codings are kept in mind; what was added since is looked for before each search by code."""
    other = await PostgresStore.open(database, KEY, registry)
    try:
        for number in range(3):
            coding = [
                {"system": "http://new", "code": f"{number}"},
                {"system": "http://also", "code": "same"},
            ]
            resource = observation(f"new{number}", code={"coding": coding})
            await other.write([change(resource)], audited())
            for text in (f"code={number}", f"code=http://new|{number}", f"code:not=x&_id=new{number}"):
                page = await postgres_store.search(asked(f"Observation?{text}"), EVERYTHING)
                assert [stored.id for stored in page.matches] == [f"new{number}"]
            page = await postgres_store.search(asked("Observation?code=http://also|"), EVERYTHING)
            assert len(page.matches) == number + 1
    finally:
        await other.close()


async def test_a_thing_named_in_a_transaction_that_failed_can_be_named_again(
    postgres_store: PostgresStore,
) -> None:
    resource = observation("failed", code={"coding": [{"system": "http://failed", "code": "f"}]})
    with pytest.raises(RuntimeError):
        async with postgres_store.transaction() as transaction:
            await transaction.write([change(resource)], audited())
            page = await transaction.search(asked("Observation?code=http://failed|f"), EVERYTHING)
            assert len(page.matches) == 1
            raise RuntimeError("the work fails")
    await postgres_store.write([change(resource)], audited())
    page = await postgres_store.search(asked("Observation?code=http://failed|f"), EVERYTHING)
    assert len(page.matches) == 1

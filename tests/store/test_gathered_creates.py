"""Creates of one moment share a commit: each is answered for itself, audited for itself, and none harms another."""

import asyncio
from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import official
from commonweal.platform.ports import Audited, Change
from commonweal.store.connection import Limits
from commonweal.store.writes.gathering import Gathered


def creating(id: str, patient: str) -> Change:
    resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    return Change("create", "Observation", id, resource, extract(resource, official()))


def by(work: str) -> Audited:
    return Audited(work, "operator", "TREAT", "create")


async def test_each_has_its_own_answer_and_its_own_audit_row(postgres_store: Any) -> None:
    asked = [postgres_store.write([creating(f"g{n}", f"p{n}")], by(f"work-{n}")) for n in range(100)]
    stored = await asyncio.gather(*asked)
    assert [each[0].id for each in stored] == [f"g{n}" for n in range(100)]
    for n in (0, 50, 99):
        text = "select entities, patients from beside.audit where work = $1"
        (row,) = await postgres_store.pool.fetch(text, f"work-{n}")
        assert tuple(row) == ([f"Observation/g{n}"], [stored[n][0].patient])


async def test_one_whose_id_is_taken_fails_alone(postgres_store: Any) -> None:
    await postgres_store.write([creating("taken", "p")], by("first"))
    asked = [postgres_store.write([creating(id, "p")], by("group")) for id in ("free-1", "taken", "free-2")]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[1], Problem) and answers[1].status == 409
    found = await postgres_store.get([("Observation", "free-1"), ("Observation", "free-2")], EVERYTHING)
    assert [each.version for each in found] == [1, 1]


async def test_two_of_one_id_in_one_moment_make_one(postgres_store: Any) -> None:
    asked = [postgres_store.write([creating("twin", "p")], by("twin")) for _ in range(2)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(isinstance(each, Problem) for each in answers) == [False, True]


async def test_a_database_that_went_away_is_told_to_all_and_tried_for_none() -> None:
    tries = []

    class Gone:
        """A pool whose server has gone."""

        def get_idle_size(self) -> int:
            return 1

        def acquire(self, timeout: float | None) -> Any:
            tries.append(timeout)
            raise ConnectionResetError

    class Pools:
        """Those of a store, as far as creates ask for them."""

        work = Gone()
        limits = Limits()

    pools: Any = Pools()
    nobody: Any = None
    gathered = Gathered(pools, nobody)
    asked = [gathered.create(creating(f"d{n}", "p"), by("d")) for n in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [each.status for each in answers] == [503, 503, 503]
    assert len(tries) == 1


async def test_who_no_longer_waits_harms_nobody(postgres_store: Any) -> None:
    asked = [asyncio.ensure_future(postgres_store.write([creating(f"c{n}", "p")], by("c"))) for n in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[1], asyncio.CancelledError)
    assert answers[0][0].id == "c0" and answers[2][0].id == "c2"


@pytest.mark.parametrize("type", ['Observation"; --', "Nothing"])
async def test_what_is_no_type_is_refused_before_anything_is_gathered(postgres_store: Any, type: str) -> None:
    with pytest.raises(Problem):
        await postgres_store.write([Change("create", type, "x", {"resourceType": type})], by("x"))

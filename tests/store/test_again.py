"""Work that met another's transaction is done again, and nobody is told; through the interface and beneath it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.access import Agent, Permission
from commonweal.access.roles import unbounded
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import TRIES, Platform
from commonweal.platform.work import Work
from commonweal.store.connection import Again
from commonweal.store.memory import MemoryStore
from tests.store.contract.speaking import patient

MAY_ALL = Permission("all.do", "Do everything", ("tester",), ("*",))
TESTER = Agent("Practitioner/tester", frozenset({"tester"}))
MRN = "http://example.org/mrn"


async def _nobody(*_: Any) -> None:
    return None


def platform(store: Any) -> Platform:
    ids = count(1)
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    catalogue = Catalogue([], permissions=[MAY_ALL], roles=unbounded("tester"))
    return Platform(catalogue, store, lambda: clock, lambda: f"again-{next(ids)}", _nobody, _nobody)


@pytest.fixture
async def fhir(postgres_store: Any) -> AsyncIterator[httpx.AsyncClient]:
    async def authenticate(_: Any) -> Agent:
        return TESTER

    transport = httpx.ASGITransport(api.app(platform(postgres_store), authenticate))
    headers = {"Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir", headers=headers) as client:
        yield client


def conditional(*numbers: str) -> dict[str, Any]:
    """A transaction that makes patients of these numbers where there are none, and others beside them."""
    made = [
        {
            "resource": {"resourceType": "Patient", "identifier": [{"system": MRN, "value": number}]},
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={MRN}|{number}"},
        }
        for number in numbers
    ]
    put = [
        {
            "resource": patient(f"both-{number}", active=True),
            "request": {"method": "PUT", "url": f"Patient/both-{number}"},
        }
        for number in reversed(numbers)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [*made, *put]}


async def test_competing_transactions_all_succeed_and_make_each_patient_once(fhir: httpx.AsyncClient) -> None:
    """Their conditions cross, and the ids they bring are new to all of them."""
    numbers = ["1", "2", "3", "4"]
    orders = [numbers[at:] + numbers[:at] for at in range(4)] + [numbers[::-1]]
    answers = await asyncio.gather(*(fhir.post("/", json=conditional(*order)) for order in orders * 2))
    assert [answer.status_code for answer in answers] == [200] * 10, [a.text for a in answers]
    made = [e["response"]["status"][:3] for a in answers for e in a.json()["entry"][:4]]
    assert (made.count("201"), made.count("200")) == (4, 36)
    found = (await fhir.get("/Patient", params={"identifier": f"{MRN}|", "_count": "20"})).json()
    assert sorted(e["resource"]["identifier"][0]["value"] for e in found["entry"]) == numbers
    versions = [(await fhir.get(f"/Patient/both-{number}")).json()["meta"]["versionId"] for number in numbers]
    assert versions == ["10"] * 4


async def test_two_works_that_wait_for_each_other_are_both_done(postgres_store: Any) -> None:
    platform_, met = platform(postgres_store), asyncio.Barrier(2)
    tries = count()

    async def block(work: Work, first: str, second: str) -> str:
        await work.search(f"Patient?identifier={first}", hold=True)
        if next(tries) < 2:
            await met.wait()
        await work.search(f"Patient?identifier={second}", hold=True)
        return first

    done = await asyncio.gather(
        platform_.run(TESTER, lambda work: block(work, "x", "y")),
        platform_.run(TESTER, lambda work: block(work, "y", "x")),
    )
    assert done == ["x", "y"]
    assert next(tries) == 3


@pytest.mark.parametrize(("error", "times"), [(Again(409, ()), TRIES), (Problem.conflict("no"), 1)])
async def test_only_what_may_do_again_is_tried_again_and_not_for_ever(error: Problem, times: int) -> None:
    began: list[str] = []

    async def block(work: Work) -> None:
        began.append(work.id)
        await work.save(patient("never"))
        raise error

    platform_ = platform(MemoryStore())
    with pytest.raises(Problem) as told:
        await platform_.run(TESTER, block, "the-request")
    assert told.value is error
    assert began == ["the-request"] * times
    async with platform_.work(TESTER) as work:
        assert await work.read_all([("Patient", "never")]) == [None]

"""Writes on condition of a search: https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #cpatch, #cdelete."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from commonweal.access import Reach
from commonweal.api.app import Api
from commonweal.fhir.search.query import Query
from commonweal.platform.ports import Page
from commonweal.store.memory.store import MemoryStore

SYSTEM = "http://example.org/mrn"
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


def patient(number: str, **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": number}], **more}


async def given(fhir: httpx.AsyncClient, *numbers: str) -> list[str]:
    return [(await fhir.post("/Patient", json=patient(number))).json()["id"] for number in numbers]


@pytest.mark.parametrize(
    "there, condition, status",
    [
        ([], f"identifier={SYSTEM}|1", 201),
        (["1"], f"identifier={SYSTEM}|1", 200),
        (["1"], f"?identifier={SYSTEM}|1", 200),
        (["1"], f"Patient?identifier={SYSTEM}|1", 200),
        (["1", "1"], f"identifier={SYSTEM}|1", 412),
        (["1"], f"identifier={SYSTEM}|2", 201),
        (["1"], "", 400),
        (["1"], "_count=1", 400),
        (["1"], "colour=red", 400),
    ],
)
async def test_create_where_nothing_matches(
    fhir: httpx.AsyncClient, there: list[str], condition: str, status: int
) -> None:
    """#ccreate: no match 201, one 200, several 412; without a criterion it is not conditional at all"""
    ids = await given(fhir, *there)
    answer = await fhir.post("/Patient", json=patient("1"), headers={"If-None-Exist": condition})
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["id"] == ids[0]
        assert answer.headers["location"].endswith(f"/Patient/{ids[0]}/_history/1")


class Polite(MemoryStore):
    """A store that lets others go first after each look, as one across a network does."""

    async def search(self, query: Query, reach: Reach) -> Page:
        page = await super().search(query, reach)
        await asyncio.sleep(0)
        return page


async def test_two_at_once_make_one(fhir: httpx.AsyncClient, fhir_app: Api) -> None:
    """#ccreate: the condition is held between the look and the write"""
    fhir_app.site.platform = replace(fhir_app.site.platform, store=Polite())
    headers = {"If-None-Exist": f"identifier={SYSTEM}|1"}
    answers = await asyncio.gather(
        *(fhir.post("/Patient", json=patient("1"), headers=headers) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "there, own, status",
    [
        ([], None, 201),
        ([], "mine", 201),
        (["1"], None, 200),
        (["1"], "0", 200),
        (["1"], "other", 400),
        (["1", "1"], None, 412),
    ],
)
async def test_update_of_what_matches(
    fhir: httpx.AsyncClient, there: list[str], own: str | None, status: int
) -> None:
    """#cond-update; own "0" stands for the id of the match"""
    ids = await given(fhir, *there)
    body = patient("1", active=True) | ({"id": ids[0] if own == "0" else own} if own else {})
    answer = await fhir.put(f"/Patient?identifier={SYSTEM}|1", json=body)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert (answer.json()["id"], answer.json()["active"]) == (ids[0], True)
    if own == "mine":
        assert answer.json()["id"] == "mine"


@pytest.mark.parametrize("there, status", [([], 404), (["1"], 200), (["1", "1"], 412)])
async def test_patch_of_what_matches(fhir: httpx.AsyncClient, there: list[str], status: int) -> None:
    """#cpatch"""
    await given(fhir, *there)
    steps = [{"op": "add", "path": "/active", "value": False}]
    answer = await fhir.patch(f"/Patient?identifier={SYSTEM}|1", json=steps, headers=JSON_PATCH)
    assert answer.status_code == status, answer.text
    assert status != 200 or answer.json()["active"] is False


@pytest.mark.parametrize(
    "there, query, status",
    [
        ([], f"identifier={SYSTEM}|1", 204),
        (["1"], f"identifier={SYSTEM}|1", 204),
        (["1", "1"], f"identifier={SYSTEM}|1", 412),
        (["1"], "", 400),
        (["1"], "colour=red", 400),
        (["1"], "_sort=birthdate", 400),
        (["1"], f"identifier={SYSTEM}|1&colour=red", 400),
    ],
)
async def test_delete_of_what_matches(
    fhir: httpx.AsyncClient, there: list[str], query: str, status: int
) -> None:
    """#cdelete, single: several are refused, and nothing is deleted without a criterion that is understood"""
    ids = await given(fhir, *there)
    answer = await fhir.delete(f"/Patient?{query}")
    assert answer.status_code == status, answer.text
    left = [(await fhir.get(f"/Patient/{id}")).status_code for id in ids]
    assert left == [410 if status == 204 else 200] * len(ids)

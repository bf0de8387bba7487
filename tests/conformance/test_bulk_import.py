"""$import: NDJSON in, kept under the ids of its source; what is wrong is told and keeps nothing else out."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal.fhir import codec
from commonweal.platform.writing import Writing
from tests.conformance.bulk_world import World, observation, patient

NDJSON = {"Content-Type": "application/fhir+ndjson"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def fhir(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


def lines(*resources: dict[str, Any] | bytes) -> bytes:
    return b"\n".join(each if isinstance(each, bytes) else codec.encode(each) for each in resources)


async def told(fhir: httpx.AsyncClient, body: bytes, **headers: str) -> tuple[list[int], dict[int, str]]:
    """[created, updated, unchanged] and the wrong lines with their reasons."""
    answer = await fhir.post("/$import", content=body, headers={**NDJSON, **headers})
    assert answer.status_code == 200, answer.text
    codec.check(answer.content, "Parameters")
    counts = [each["valueUnsignedInt"] for each in answer.json()["parameter"][:3]]
    wrong = [{part["name"]: part for part in each["part"]} for each in answer.json()["parameter"][3:]]
    return counts, {each["line"]["valuePositiveInt"]: each["reason"]["valueString"] for each in wrong}


async def test_new_changed_and_the_same(fhir: httpx.AsyncClient) -> None:
    assert await told(fhir, lines(patient("a"), patient("b"))) == ([2, 0, 0], {})
    assert await told(fhir, lines(patient("a"), patient("b", active=True), patient("c"))) == ([1, 1, 1], {})
    assert (await fhir.get("/Patient/a")).json()["meta"]["versionId"] == "1"


async def test_repeats_become_versions_in_their_order(fhir: httpx.AsyncClient) -> None:
    repeats = lines(patient("a"), patient("b"), patient("a", active=True), patient("a", active=True))
    assert await told(fhir, repeats) == ([2, 1, 1], {})
    assert (await fhir.get("/Patient/a")).json()["active"] is True


async def test_wrong_lines_are_told_by_their_number(fhir: httpx.AsyncClient) -> None:
    body = lines(
        patient("a"), b"", b"{", b"[]", b'{"resourceType":"Nonsense","id":"x"}', patient("b", colour="red"),
        {"resourceType": "Patient"}, patient("no/id"), b"\xff", b'{"resourceType":"Patient","id":"n","active":null}',
        patient("c"),
    )  # fmt: skip
    counts, wrong = await told(fhir, body + b"\r\n")
    assert counts == [2, 0, 0]
    assert sorted(wrong) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "colour" in wrong[6]
    assert "valid id" in wrong[7] and "valid id" in wrong[8]


async def test_gzip(fhir: httpx.AsyncClient) -> None:
    packed = gzip.compress(lines(patient("a")))
    assert await told(fhir, packed, **{"Content-Encoding": "gzip"}) == ([1, 0, 0], {})


async def test_a_batch_of_faults_costs_two_looks_at_each(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    settled = Writing._settled

    def counted(self: Writing, draft: Any) -> Any:
        nonlocal looks
        looks += 1
        return settled(self, draft)

    monkeypatch.setattr(Writing, "_settled", counted)
    good = [patient(f"good{number}") for number in range(100)]
    bad = [patient(f"bad{number}", colour="red") for number in range(100)]
    counts, wrong = await told(fhir, lines(*good, *bad))
    assert counts == [100, 0, 0]
    assert sorted(wrong) == list(range(101, 201))
    assert looks <= 101 + 200 + 100


async def test_only_ndjson_is_taken(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("/$import", content=b"{}", headers={"Content-Type": "application/fhir+json"})
    assert answer.status_code == 415
    assert (await fhir.get("/$import")).status_code == 405


async def test_there_is_an_end_to_lines(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("/$import", content=b"\n" * 100_001, headers=NDJSON)
    assert answer.status_code == 413


async def test_only_who_may_import(world: World) -> None:
    async with world.client("colleague") as colleague, world.client("nobody") as nobody:
        answer = await colleague.post("/$import", content=lines(patient("a")), headers=NDJSON)
        assert answer.status_code == 403
        assert world.store.audited[-1][1].outcome == 403
        assert (await nobody.post("/$import", content=b"", headers=NDJSON)).status_code == 401


async def test_references_need_not_lead_anywhere_yet(fhir: httpx.AsyncClient) -> None:
    assert await told(fhir, lines(observation("o", "Patient/later"))) == ([1, 0, 0], {})

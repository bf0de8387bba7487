"""Real records by the front door: Synthea's bundles as POSTed transactions, https://hl7.org/fhir/R4/http.html#trules."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.fhir import codec
from tests.conformance.conftest import BASE, authenticate, platform

PATIENTS = 4


@pytest.fixture(scope="module")
def bundles(shared_data: Path) -> list[dict[str, Any]]:
    """The first few patients of the archive."""
    archive = shared_data / "synthea-r4" / "synthea-40-patients.tar.xz"
    found: list[dict[str, Any]] = []
    with tarfile.open(archive) as tar:
        while len(found) < PATIENTS and (member := tar.next()) is not None:
            if member.name.endswith(".json"):
                found.append(json.load(tar.extractfile(member) or io.BytesIO()))
    return found


async def test_bundles_come_back_as_they_were_sent(bundles: list[dict[str, Any]]) -> None:
    """#trules: new ids, equal counts, and every resource equal but for id, meta and the references put right"""
    app = api.app(platform(), authenticate)
    sent: Counter[str] = Counter()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=BASE,
        headers={"Authorization": "Bearer good", "Content-Type": "application/fhir+json"},
    ) as client:
        for bundle in bundles:
            answer = await client.post("/", json=bundle)
            assert answer.status_code == 200, answer.text[:500]
            places = [each["response"]["location"].split("/_history/")[0] for each in answer.json()["entry"]]
            names = {entry["fullUrl"]: place for entry, place in zip(bundle["entry"], places, strict=True)}
            for entry, place in zip(bundle["entry"], places, strict=True):
                sent[entry["resource"]["resourceType"]] += 1
                assert await _kept(client, place) == _expected(entry["resource"], names)
        for type, number in sent.items():
            assert (await client.get(f"/{type}?_summary=count")).json()["total"] == number


async def _kept(client: httpx.AsyncClient, place: str) -> Any:
    kept = codec.parse((await client.get(f"/{place}")).content)
    return {name: value for name, value in kept.items() if name not in ("id", "meta")}


def _expected(resource: dict[str, Any], names: dict[str, str]) -> Any:
    text = json.dumps({name: value for name, value in resource.items() if name not in ("id", "meta")})
    for name, place in names.items():
        text = text.replace(f'"{name}"', f'"{place}"')
    return codec.parse(text)

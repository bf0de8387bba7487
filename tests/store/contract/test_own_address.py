"""A reference written with our own address counts as one to what is here, for search and for access alike."""

from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse
from commonweal.platform.ports import Change
from commonweal.store.memory import MemoryStore
from tests.store.contract.speaking import audited, deletion, observation, patient

BASE = "http://record.example.org/fhir"
REGISTRY = Registry(bases=[BASE])


@pytest.fixture(scope="session")
def registry() -> Registry:
    """That of the PostgreSQL store in this module."""
    return REGISTRY


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore(bases=REGISTRY.bases)


def created(resource: dict[str, Any]) -> Change:
    return Change("create", resource["resourceType"], resource["id"], resource, extract(resource, REGISTRY))


async def test_it_belongs_to_the_patient_here(store: Any, fresh: str) -> None:
    person, near, far = (f"{fresh}{name}" for name in ("p", "near", "far"))
    place = {"location": [{"location": {"reference": f"{BASE}/Location/{fresh}l"}}]}
    resources = [
        patient(person),
        observation(near, f"{BASE}/Patient/{person}/_history/2"),
        observation(far, f"http://elsewhere.example.org/fhir/Patient/{person}"),
        {
            "resourceType": "Condition",
            "id": near,
            "subject": {"reference": f"{BASE}/Patient/{person}"},
            **place,
        },
    ]
    own, first, second, third = await store.write([created(each) for each in resources], audited())
    assert first.patient == own.patient == third.patient != second.patient
    reach = Reach((Grant(patients=frozenset({f"Patient/{person}"})),))
    asked = parse("Observation", [("_id", f"{near},{far}")], REGISTRY)
    assert [each.id for each in (await store.search(asked, reach)).matches] == [near]
    asked = parse("Observation", [("subject", f"{BASE}/Patient/{person}")], REGISTRY)
    assert [each.id for each in (await store.search(asked, EVERYTHING)).matches] == [near]


async def test_it_is_held_by_the_organization_here(store: Any, fresh: str) -> None:
    held = {
        "resourceType": "Device",
        "id": f"{fresh}d",
        "owner": {"reference": f"{BASE}/Organization/{fresh}o"},
    }
    await store.write([created(held)], audited())
    reach = Reach((Grant(organizations=frozenset({f"Organization/{fresh}o"})),))
    assert await store.get([("Device", f"{fresh}d")], reach) != [None]


async def test_its_end_is_told_with_the_patient(store: Any, feed: Any, fresh: str) -> None:
    person, near = f"{fresh}p", f"{fresh}near"
    await store.write([created(observation(near, f"{BASE}/Patient/{person}"))], audited())
    await store.write([deletion("Observation", near)], audited())
    told = [each for each in await feed.notices(f"{fresh}reader", 100) if each.id == near]
    assert [each.subject for each in told] == [f"Patient/{person}"] * 2

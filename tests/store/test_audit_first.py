"""Nothing is answered before its audit row is durable: an answer waits for it, and there is none without it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from commonweal import api
from commonweal.access.agent import OPERATOR, Agent
from commonweal.access.permission import Permission
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.store import embedded
from commonweal.store.postgres import PostgresStore
from tests.store.conftest import at

ALL = ("*.read", "*.search", "*.history", "*.create", "*.update", "*.delete")
WAITING = """
select count(*) from pg_locks where relation = 'beside.audit'::regclass and not granted"""
PATIENT = {"resourceType": "Patient", "id": "seen", "name": [{"family": "Pangolin"}]}
IDS = count(1)


async def authenticate(scope: Any) -> Agent:
    return Agent("operator", frozenset({OPERATOR}))


async def unheard(signal: object) -> None:
    """Nobody listens."""


async def here(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


@pytest.fixture
async def http(postgres_store: PostgresStore) -> AsyncIterator[httpx.AsyncClient]:
    platform = Platform(
        Catalogue([], {}, [Permission("record.all", "Everything", (OPERATOR,), ALL)]),
        postgres_store,
        lambda: datetime.now(UTC),
        lambda: f"work-{next(IDS)}",
        unheard,
        here,
    )
    transport = httpx.ASGITransport(api.app(platform, authenticate))
    headers = {"content-type": "application/fhir+json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir", headers=headers) as client:
        await client.put("/Patient/seen", json=PATIENT)
        yield client


@pytest.fixture
async def superuser(server: Any, database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(at(server.dsn(embedded.ADMIN), urlsplit(database).path[1:]))
    yield connection
    await connection.close()


ASKED = {
    "a read": ("GET", "/Patient/seen"),
    "a search": ("GET", "/Patient?name=pangolin"),
    "a history": ("GET", "/Patient/seen/_history"),
    "a miss": ("GET", "/Patient/nobody"),
    "a write": ("PUT", "/Patient/seen"),
    "a deletion": ("DELETE", "/Patient/other"),
}


@pytest.mark.parametrize("what", ASKED)
async def test_the_answer_waits_for_its_row(http: httpx.AsyncClient, superuser: Any, what: str) -> None:
    method, path = ASKED[what]
    body = PATIENT if method == "PUT" else None
    held = superuser.transaction()
    await held.start()
    await superuser.execute("lock table beside.audit in share row exclusive mode")
    before = await superuser.fetchval("select count(*) from beside.audit")
    asked = asyncio.create_task(http.request(method, path, json=body))
    while not await superuser.fetchval(WAITING):
        assert not asked.done(), "it was answered and nobody had written a row"
    assert not asked.done()
    await held.commit()
    assert (await asked).status_code in (200, 204, 404)
    assert await superuser.fetchval("select count(*) from beside.audit") > before


@pytest.mark.parametrize("path", ["/Patient/seen", "/Patient?name=pangolin", "/Patient/seen/_history"])
async def test_without_its_row_there_is_no_answer(
    http: httpx.AsyncClient, postgres_store: PostgresStore, path: str
) -> None:
    postgres_store._engine.pools.audit.terminate()
    answer = await http.get(path)
    assert answer.status_code >= 500
    assert "Pangolin" not in answer.text

"""The database goes away and comes back: nothing acknowledged is lost, and nobody restarts the application."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Registry
from commonweal.store import embedded
from commonweal.store.migrate import migrate, migrations
from commonweal.store.postgres import PostgresStore
from tests.store.conftest import KEY, ask, at
from tests.store.contract.speaking import audited, change, patient


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A server that may be killed."""
    home = Path(tempfile.mkdtemp(prefix="commonweal-test-"))
    home.chmod(0o755)
    try:
        with embedded.open(home / "data") as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture
async def own_database(server: Any, template: str) -> AsyncIterator[str]:
    """An empty database."""
    name = f"empty_{os.getpid()}"
    await ask(server.dsn(embedded.ADMIN), f"create database {name} owner {embedded.OWNER}")
    yield name
    await ask(server.dsn(embedded.ADMIN), f"drop database {name} with (force)")


async def test_a_killed_database_is_used_again_once_it_is_back(own_server: Any, registry: Registry) -> None:
    owner = await asyncpg.connect(own_server.dsn(embedded.OWNER))
    await migrate(owner)
    await owner.close()
    store = await PostgresStore.open(own_server.dsn(), KEY, registry)
    kept: list[str] = []
    refused: list[int] = []

    async def write(number: int) -> None:
        for step in range(200):
            id = f"w{number}-{step}"
            try:
                await store.write([change(patient(id))], audited())
            except Problem as problem:
                refused.append(problem.status)
                return
            kept.append(id)
            if len(kept) == 200:
                postmaster = int(
                    (own_server.data / "postgres" / "postmaster.pid").read_text().splitlines()[0]
                )
                os.kill(postmaster, signal.SIGKILL)

    await asyncio.gather(*(write(number) for number in range(8)))
    assert refused == [503] * 8
    await _again(own_server)
    found = await store.get([("Patient", id) for id in kept], EVERYTHING)
    assert [stored.id for stored in found if stored] == kept
    await store.write([change(patient("after"))], audited())
    versions = await store.pool.fetchval('select count(*) from record."Patient"')
    told = await store.pool.fetchval("select count(*) from beside.outbox")
    audits = await store.pool.fetchval("select count(*) from beside.audit")
    assert versions == told == audits
    await store.close()


async def _again(server: Any) -> None:
    """Start it once its killed processes are gone."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await asyncio.to_thread(server.start)
            except embedded.DatabaseUnavailable:
                continue


async def test_without_a_server_the_store_says_so(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(Problem) as refused:
        await PostgresStore.open(f"postgresql:///x?host={tmp_path}", KEY, registry)
    assert refused.value.status == 503


async def test_migrations_run_once_even_by_two_at_once(server: Any, own_database: str) -> None:
    addresses = [at(server.dsn(embedded.OWNER), own_database)] * 2
    owners = [await asyncpg.connect(address) for address in addresses]
    done = await asyncio.gather(*(migrate(owner) for owner in owners))
    assert sorted(done, key=len)[0] == []
    assert sorted(done, key=len)[1] == [name for _, name, _ in migrations()]
    for owner in owners:
        await owner.close()


async def test_a_migration_that_was_changed_afterwards_is_refused(server: Any, own_database: str) -> None:
    owner = await asyncpg.connect(at(server.dsn(embedded.OWNER), own_database))
    await migrate(owner)
    await owner.execute("update migration.applied set hash = 'other' where number = 1")
    with pytest.raises(Problem):
        await migrate(owner)
    await owner.execute("update migration.applied set hash = 'newer', number = 9999 where number = 1")
    with pytest.raises((Problem, asyncpg.DuplicateSchemaError)):
        await migrate(owner)
    await owner.close()


async def test_the_application_can_neither_change_history_nor_tables(postgres_store: PostgresStore) -> None:
    for text in (
        'delete from history."Patient"',
        "update history.\"Patient\" set body = ''",
        'drop table record."Patient"',
        "delete from beside.audit",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await postgres_store.pool.execute(text)

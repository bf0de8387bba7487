"""One embedded PostgreSQL for the session, one fresh database for each module."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from commonweal.fhir.search.parameters import Registry
from commonweal.store import embedded
from commonweal.store.migrate import migrate
from commonweal.store.postgres import PostgresStore

KEY = b"the index key of these tests"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """A PostgreSQL that lives as long as the tests, in a folder its own account can reach."""
    home = Path(tempfile.mkdtemp(prefix="commonweal-test-"))
    home.chmod(0o755)
    try:
        with embedded.open(home / "data") as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


def at(dsn: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server: Any) -> str:
    """A migrated database that is only ever copied."""
    name = f"template_{os.getpid()}"
    with (server.data / "pg_hba.conf").open("a") as access:
        access.write("local all all scram-sha-256\n")  # the embedded server knows one database only
    await ask(server.dsn(embedded.ADMIN), "select pg_reload_conf()")
    await ask(server.dsn(embedded.ADMIN), f"create database {name} owner {embedded.OWNER}")
    connection = await asyncpg.connect(at(server.dsn(embedded.OWNER), name))
    try:
        await migrate(connection)
    finally:
        await connection.close()
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(server: Any, template: str) -> AsyncIterator[str]:
    """The address of a fresh database, as the application connects."""
    name = f"module_{os.getpid()}_{next(NUMBERS)}"
    await ask(
        server.dsn(embedded.ADMIN), f"create database {name} template {template} owner {embedded.OWNER}"
    )
    yield at(server.dsn(), name)
    await ask(server.dsn(embedded.ADMIN), f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry()


@pytest_asyncio.fixture
async def postgres_store(database: str, registry: Registry) -> AsyncIterator[PostgresStore]:
    """The record on PostgreSQL; tests of one module share the database and make their own ids."""
    store = await PostgresStore.open(database, KEY, registry, connections=8)
    try:
        yield store
    finally:
        await store.close()


async def ask(dsn: str, text: str) -> None:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(text)
    finally:
        await connection.close()

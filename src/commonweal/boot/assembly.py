"""Puts the platform together for one process: catalogue, store, feed, clock and process pool."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from commonweal.boot import discovery
from commonweal.boot.ids import new_id
from commonweal.boot.secrets import Secrets
from commonweal.boot.settings import Settings
from commonweal.boot.tokens import Tokens
from commonweal.external.sms import Sender
from commonweal.identity.house import Identity
from commonweal.platform.platform import Platform
from commonweal.platform.signal import Signal
from commonweal.store import embedded
from commonweal.store import migrate as migrations
from commonweal.store.drawers import PostgresDrawers, Sealer
from commonweal.store.postgres import PostgresStore


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a process of the platform works with."""

    settings: Settings
    platform: Platform
    store: PostgresStore
    tokens: Tokens
    secrets: Secrets
    identity: Identity


@asynccontextmanager
async def assembled(settings: Settings, dsn: str) -> AsyncIterator[Assembly]:
    """The platform over the database at `dsn`, which is already migrated."""
    secrets = settings.secrets
    catalogue = discovery.catalogue(settings.bases)
    pool = Pool()
    sender = Sender(settings.phones, new_id)
    store = await PostgresStore.open(
        dsn,
        secrets.index,
        catalogue.registry,
        connections=settings.connections,
        search_seconds=settings.search_seconds,
    )
    platform = Platform(
        catalogue,
        store,
        lambda: datetime.now(UTC),
        new_id,
        _nobody_listens,
        pool.compute,
        asyncio.to_thread,
        store.journal,
    )
    identity = Identity(
        PostgresDrawers(store.pools, Sealer(secrets.drawers), _microseconds),
        _microseconds,
        secrets.identity,
        store.audit,
        sender.send,
        asyncio.to_thread,
        settings.address,
    )
    sending = asyncio.create_task(sender.run())
    try:
        yield Assembly(settings, platform, store, Tokens(secrets.tokens), secrets, identity)
    finally:
        sending.cancel()
        pool.close()
        await store.close()


@asynccontextmanager
async def opened(settings: Settings, migrate: bool = True) -> AsyncIterator[Assembly]:
    """The platform of an installation: its database is started, or attached to, and brought up to date
    (`migrate=False`: by whoever started us).

    Raises DatabaseUnavailable with one sentence when there is none to be had.
    """
    async with embedded.open(settings.folder) as database:
        if migrate:
            await migrated(database.dsn(embedded.OWNER))
        async with assembled(settings, database.dsn()) as assembly:
            yield assembly


async def migrated(dsn: str) -> list[str]:
    """Bring the tables up to this version; the names of what was applied."""
    connection = await asyncpg.connect(dsn)
    try:
        return await migrations.migrate(connection)
    finally:
        await connection.close()


class Pool:
    """The process pool behind `work.compute`, started when it is first needed."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None

    async def compute(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._executor is None:
            self._executor = ProcessPoolExecutor()
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)


def _microseconds() -> int:
    """Real time, whatever the platform's clock says: what opens doors does not run faster in a demo."""
    return time.time_ns() // 1000


async def _nobody_listens(signal: Signal) -> None:
    """Signals have no listener until live updates exist; by their nature nothing is lost by that."""

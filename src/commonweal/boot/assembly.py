"""Puts the platform together for one process: catalogue, store, feed, clock and process pool."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from commonweal.boot import discovery
from commonweal.boot.ids import new_id
from commonweal.boot.secrets import Secrets, open_secrets
from commonweal.boot.settings import Settings
from commonweal.boot.tokens import Tokens
from commonweal.platform.platform import Platform
from commonweal.platform.signal import Signal
from commonweal.store.postgres import PostgresStore


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a process of the platform works with."""

    settings: Settings
    platform: Platform
    store: PostgresStore
    tokens: Tokens
    secrets: Secrets


@asynccontextmanager
async def assembled(settings: Settings, dsn: str) -> AsyncIterator[Assembly]:
    """The platform over the database at `dsn`, which is already migrated."""
    secrets = open_secrets(settings.folder)
    catalogue = discovery.catalogue()
    pool = Pool()
    store = await PostgresStore.open(
        dsn,
        secrets.index,
        catalogue.registry,
        connections=settings.connections,
        search_seconds=settings.search_seconds,
    )
    platform = Platform(catalogue, store, lambda: datetime.now(UTC), new_id, _nobody_listens, pool.compute)
    try:
        yield Assembly(settings, platform, store, Tokens(secrets.tokens), secrets)
    finally:
        pool.close()
        await store.close()


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


async def _nobody_listens(signal: Signal) -> None:
    """Signals have no listener until live updates exist; by their nature nothing is lost by that."""

"""Killed in the middle: what was acknowledged is there afterwards, nothing is half-written, the record is whole."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
import httpx
import pytest

from commonweal.platform.balance import OUTSIDE, Movement
from commonweal.store import embedded
from commonweal.store.beside import ledger
from tests.killed.clients import TAG, Acknowledged, Writers
from tests.killed.platform_process import PlatformProcess

HEALS = ("worker", "background", "database")
"""Whose death `commonweal serve` survives by itself; its own death needs a new start."""


@pytest.mark.parametrize("victim", [*HEALS, "server"])
async def test_what_was_acknowledged_survives_the_death_of(victim: str, data: Path) -> None:
    platform = PlatformProcess(data)
    writers = Writers(platform.base, platform.token())
    movers = Movers(data)
    writers.start()
    movers.start()
    await writers.until(150)
    platform.kill(victim)
    if victim == "server":
        await asyncio.to_thread(platform.wait)
    else:
        before = writers.told.count
        await writers.until(before + 150)
    await writers.stop()
    await movers.stop()
    if victim == "server":
        platform = await asyncio.to_thread(PlatformProcess, data)
    try:
        await _assert_everything_acknowledged(platform, writers.told)
        await movers.assert_balances()
        assert "WRONG" not in platform.check()
    finally:
        assert platform.stop() == 0
    assert platform.leftovers() == []


async def test_killing_the_parent_leaves_no_process_behind(data: Path) -> None:
    platform = PlatformProcess(data)
    assert platform.leftovers(), "the guard must see the processes while they live"
    platform.kill("server")
    platform.wait()
    async with asyncio.timeout(30):
        while platform.leftovers():
            await asyncio.to_thread(Path("/proc").stat)


async def _assert_everything_acknowledged(platform: PlatformProcess, told: Acknowledged) -> None:
    headers = {"Authorization": f"Bearer {platform.token()}"}
    async with httpx.AsyncClient(base_url=platform.base, headers=headers, timeout=60) as http:
        for reference, version in told.versions.items():
            body = (await http.get(f"/{reference}")).json()
            assert int(body["meta"]["versionId"]) >= version, reference
            if int(body["meta"]["versionId"]) == version:
                assert body == told.bodies[reference]
        parts = await _parts_of_transactions(http)
    assert all(parts[tag] == 5 for tag in told.transactions), "an acknowledged transaction is gone"
    assert set(parts.values()) <= {5}, "a transaction was written in half"


async def _parts_of_transactions(http: httpx.AsyncClient) -> "Counter[str]":
    parts: Counter[str] = Counter()
    url = f"/Observation?_tag={TAG}|&_count=500&_elements=id"
    while url:
        page = (await http.get(url)).json()
        for entry in page.get("entry", ()):
            parts.update(tag["code"] for tag in entry["resource"]["meta"]["tag"] if tag.get("system") == TAG)
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    return parts


class Movers:
    """Moves boxes through the ledger beside the clients, and remembers what was acknowledged."""

    def __init__(self, data: Path) -> None:
        with embedded.open(data) as database:  # only to learn the address; held, it would outlive its server
            self._dsn = database.dsn()
        self._stop = asyncio.Event()
        self._moved: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._move(n)) for n in range(4)]

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _move(self, mover: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            key = f"{mover}-{number}"
            try:
                connection = await self._connect()
                try:
                    arrival = Movement(f"in-{key}", OUTSIDE, "shelf", 3)
                    await ledger.move(connection, [arrival, Movement(f"out-{key}", "shelf", "sold", 1)])
                finally:
                    await connection.close()
                self._moved |= {f"in-{key}", f"out-{key}"}
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.wait({asyncio.create_task(self._stop.wait())}, timeout=0.05)

    async def assert_balances(self) -> None:
        """What the movements say is what the balances say, and no acknowledged movement is missing."""
        connection = await self._connect()
        try:
            keys = {row["key"] for row in await connection.fetch("select key from beside.movement")}
            held = await ledger.balances(connection, ["shelf", "sold"])
        finally:
            await connection.close()
        assert self._moved and self._moved <= keys
        arrived = sum(key.startswith("in-") for key in keys)
        sold = sum(key.startswith("out-") for key in keys)
        assert held == {"shelf": 3 * arrived - sold, "sold": sold}

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self._dsn)

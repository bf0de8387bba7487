"""The collector: it gets every sealed row in order, however often it fails, goes away and comes back."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from commonweal.external.collector import Collector, Kept, Outlet, Posted, outlet
from commonweal.platform.ports import Audited
from commonweal.store.audit import Auditor, seal
from commonweal.store.audit.shipping import PostgresShipping

KEY = b"a key that both sides share"
Row = dict[str, Any]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool:
        yield pool


class Site:
    """A collector on this machine, which answers what it is told to and may be away."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.kept: list[Row] = []
        self.tries = 0
        self.port = 0
        self._server: Any = None

    async def come(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.answers.pop(0) if self.answers else 204
        self.tries += 1
        if status < 300:
            seconds, signed = (
                part.partition("=")[2] for part in headers["x-commonweal-signature"].split(",")
            )
            expected = hmac.new(KEY, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
            assert hmac.compare_digest(signed, expected)
            self.kept += [json.loads(line) for line in body.splitlines()]
        writer.write(f"HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.come()
    yield site
    await site.go()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def held() -> object | None:
    """The lease is ours."""
    return True


def shipper(pool: Any, where: Outlet, clock: Clock) -> Collector:
    return Collector(PostgresShipping(pool), where, held, clock)


async def sealed(pool: Any, *works: str) -> None:
    auditor = Auditor(pool)
    for work in works:
        await auditor.write(Audited(work, "Practitioner/p", "TREAT", "read", patients=(2**62 + 1,)))
    async with pool.acquire() as connection:
        while await seal.seal(connection, b""):
            pass


async def all_shipped(collector: Collector) -> None:
    while await collector.tick():
        continue


def check_whole(kept: list[Row], count: int) -> None:
    """Every row once or more, in order, and behind each seal's rows the seal that the chain has there."""
    places = [(each["row"]["xid"], each["row"]["seq"]) for each in kept if "row" in each]
    first = list(dict.fromkeys(places))
    assert all(one < other for one, other in pairwise(first))
    assert len(first) == count


async def count(pool: Any) -> int:
    return int(await pool.fetchval("select coalesce(sum(rows), 0)::int8 from beside.seal"))


async def test_everything_arrives_in_order_with_the_head(pool: Any, site: Site, clock: Clock) -> None:
    await sealed(pool, *(f"w{number}" for number in range(5)))
    await sealed(pool, "later")
    await all_shipped(shipper(pool, Posted(f"http://127.0.0.1:{site.port}/a", KEY), clock))
    check_whole(site.kept, await count(pool))
    newest = await pool.fetchrow(
        "select xid, seq, rows, head from beside.seal order by xid desc, seq desc limit 1"
    )
    told = {"xid": newest[0], "seq": newest[1], "rows": newest[2], "head": newest[3].hex()}
    assert site.kept[-1] == {"seal": told}
    assert site.kept[-2]["row"]["work"] == "later"
    assert site.kept[-2]["row"]["patients"] == [str(2**62 + 1)]


async def test_it_fails_twice_goes_away_and_comes_back(pool: Any, site: Site, clock: Clock) -> None:
    await sealed(pool, *(f"x{number}" for number in range(4)))
    collector = shipper(pool, Posted(f"http://127.0.0.1:{site.port}/b", KEY), clock)
    site.answers = [500, 503]
    assert not await collector.tick() and not await collector.tick()
    assert site.tries == 1, "it waits before it tries again"
    clock.now += 1
    assert not await collector.tick() and site.tries == 2
    clock.now += 1
    assert not await collector.tick() and site.tries == 2, "and longer after each failure"
    await site.go()
    clock.now += 1
    assert not await collector.tick()
    await sealed(pool, "while it was away")
    await site.come()
    clock.now += 4
    await all_shipped(collector)
    check_whole(site.kept, await count(pool))
    assert site.kept[-2]["row"]["work"] == "while it was away"


async def test_a_batch_whose_answer_was_lost_comes_again(pool: Any, site: Site, clock: Clock) -> None:
    await sealed(pool, "once")
    where = Posted(f"http://127.0.0.1:{site.port}/c", KEY)
    batch = await PostgresShipping(pool).batch(where.name, 1000)
    assert batch is not None
    await all_shipped(shipper(pool, where, clock))
    assert not await PostgresShipping(pool).shipped(where.name, batch), "who comes late moves nothing back"
    before = len(site.kept)
    await all_shipped(shipper(pool, where, clock))
    assert len(site.kept) == before


async def test_a_long_seal_is_shipped_in_parts(pool: Any, tmp_path: Path) -> None:
    await sealed(pool, *(f"p{number}" for number in range(7)))
    shipping, rows, seals = PostgresShipping(pool), 0, 0
    while batch := await shipping.batch("parts", 3):
        assert len(batch.rows) <= 3
        rows, seals = rows + len(batch.rows), seals + (batch.seal is not None)
        assert await shipping.shipped("parts", batch)
    assert rows == await count(pool)
    assert seals == await pool.fetchval("select count(*) from beside.seal")


async def test_nothing_unsealed_leaves(pool: Any, tmp_path: Path, clock: Clock) -> None:
    collector = shipper(pool, Kept(tmp_path / "unsealed"), clock)
    await sealed(pool)
    await all_shipped(collector)
    await Auditor(pool).write(Audited("not yet", "a", "TREAT", "read"))
    assert not await collector.tick()


async def test_without_the_lease_nothing_is_shipped(pool: Any, tmp_path: Path, clock: Clock) -> None:
    async def lost() -> object | None:
        return None

    await sealed(pool, "leased")
    assert not await Collector(PostgresShipping(pool), Kept(tmp_path), lost, clock).tick()
    assert not list(tmp_path.iterdir())


async def test_a_folder_has_a_file_a_day(pool: Any, tmp_path: Path, clock: Clock) -> None:
    day = [datetime(2026, 1, 31, tzinfo=UTC)]
    collector = shipper(pool, Kept(tmp_path, lambda: day[0]), clock)
    await sealed(pool, "january")
    await all_shipped(collector)
    (tmp_path / "audit-2026-02-01.ndjson").write_bytes(b'{"row": half a li')
    day[0] = datetime(2026, 2, 1, tzinfo=UTC)
    await sealed(pool, "february")
    await all_shipped(collector)
    torn, *lines = (tmp_path / "audit-2026-02-01.ndjson").read_text().splitlines()
    assert torn == '{"row": half a li'
    assert json.loads(lines[0])["row"]["work"] == "february"
    first = (tmp_path / "audit-2026-01-31.ndjson").read_text().splitlines()
    check_whole([json.loads(line) for line in (*first, *lines)], await count(pool))
    assert (tmp_path / "audit-2026-01-31.ndjson").stat().st_mode & 0o777 == 0o600


async def test_what_is_configured_is_what_runs(tmp_path: Path) -> None:
    assert outlet("") is None
    assert isinstance(outlet(f"file:{tmp_path}"), Kept)
    (tmp_path / "key").write_bytes(KEY + b"\n")
    (tmp_path / "short").write_bytes(b"short")
    key = str(tmp_path / "key")
    assert isinstance(outlet("https://siem.example/in?token=x", key), Posted)
    wrong = [
        ("http://siem.example/in", key),
        ("ftp://x", key),
        ("https://siem.example", str(tmp_path / "short")),
        ("https://siem.example", str(tmp_path / "nowhere")),
        ("https://siem.example", ""),
    ]
    for address, file in wrong:
        with pytest.raises(ValueError):
            outlet(address, file)
    assert "token" not in Posted("https://siem.example/in?token=x", KEY).name

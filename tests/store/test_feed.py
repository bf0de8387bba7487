"""The feed on PostgreSQL, with transactions left open, connections killed and many readers at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from commonweal.platform.topic import Position
from commonweal.store import embedded
from commonweal.store.beside.feed import PostgresFeed
from tests.store.conftest import at

INSERT = "insert into beside.outbox (topic, type, id, subject) values ($1, 'Task', $1, $2)"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database, min_size=1, max_size=20) as pool:
        await pool.execute("delete from beside.outbox")
        await pool.execute("delete from beside.reader")
        await pool.execute("delete from beside.waiting")
        yield pool


@pytest.fixture
def feed(pool: Any) -> PostgresFeed:
    return PostgresFeed(pool, delays=(0,))


@asynccontextmanager
async def late(pool: Any, topic: str) -> AsyncIterator[None]:
    """A notice written before what happens in the block, and committed after it."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(INSERT, topic, "s")
        yield


async def topics(feed: PostgresFeed, reader: str = "r") -> list[str]:
    return [notice.topic for notice in await feed.notices(reader, 100)]


async def test_nothing_is_handed_out_that_a_late_commit_could_still_overtake(
    pool: Any, feed: PostgresFeed
) -> None:
    async with late(pool, "late"):
        await pool.execute(INSERT, "early", "s")
        before = await feed.position()
        assert await topics(feed) == []
        assert await feed.after(Position(), 10) == []
        assert await feed.tell(Position()) == Position()
    assert await topics(feed) == ["late", "early"]
    assert [n.topic for n in await feed.after(before, 10)] == ["late", "early"]


async def test_a_reader_between_two_commits_misses_neither(pool: Any, feed: PostgresFeed) -> None:
    await pool.execute(INSERT, "first", "s")
    async with late(pool, "late"):
        await feed.done("r", await feed.notices("r", 10))
        await pool.execute(INSERT, "early", "s")
        await feed.done("r", await feed.notices("r", 10))
    assert await topics(feed) == ["late", "early"]


async def test_a_reader_of_writers_at_once_gets_every_notice_once_and_in_order(
    pool: Any, feed: PostgresFeed
) -> None:
    async def write(subject: str) -> None:
        for number in range(25):
            await pool.execute(INSERT, f"{subject}{number:02}", subject)

    async def read(seen: list[str]) -> None:
        while len(seen) < 200:
            notices = await feed.notices("r", 7)
            seen += [notice.topic for notice in notices]
            await feed.done("r", notices)
            await asyncio.sleep(0)

    seen: list[str] = []
    await asyncio.gather(read(seen), *(write(subject) for subject in "abcdefgh"))
    assert len(set(seen)) == len(seen) == 200
    for subject in "abcdefgh":
        own = [topic for topic in seen if topic[0] == subject]
        assert own == sorted(own)


async def test_while_it_waits_for_the_next_try_its_subject_is_held(pool: Any) -> None:
    feed = PostgresFeed(pool, delays=(3600,))
    for topic, subject in (("a1", "a"), ("b1", "b"), ("a2", "a")):
        await pool.execute(INSERT, topic, subject)
    (first, *_) = await feed.notices("r", 10)
    assert not await feed.failed("r", first, "not now")
    assert await topics(feed) == ["b1"]
    await feed.done("r", await feed.notices("r", 10))
    await pool.execute("update beside.waiting set not_before = 0")
    assert await topics(feed) == ["a1", "a2"]


async def test_only_what_all_have_handled_is_pruned(pool: Any, feed: PostgresFeed) -> None:
    for topic in ("a", "b", "c", "d"):
        await pool.execute(INSERT, topic, topic)
    (a, b, c, _) = await feed.notices("fast", 10)
    await feed.done("fast", [a, b, c])
    await feed.done("slow", [b])
    assert await feed.prune(3600) == 0, "kept for an hour"
    assert await feed.prune(0) == 1, "only b: slow still owes a, and c and d lie ahead"
    await feed.done("slow", [a])
    assert await feed.prune(0) == 1
    await feed.forget("slow")
    assert await feed.prune(0) == 1
    assert await topics(feed, "fast") == ["d"]


async def test_listeners_hear_again_after_their_connection_was_killed(
    pool: Any, feed: PostgresFeed, server: Any, database: str
) -> None:
    news = feed.listen(patience=600)
    first = await anext(news)
    admin = await asyncpg.connect(at(server.dsn(embedded.ADMIN), urlsplit(database).path[1:]))
    killed = await admin.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and query like 'LISTEN%'"
    )
    assert killed == 1
    await admin.execute(INSERT, "while away", "s")
    await admin.close()
    again = await asyncio.wait_for(anext(news), 30)
    assert again > first
    assert [n.topic for n in await feed.after(first, 10)] == ["while away"]
    await news.aclose()


async def test_all_listeners_hear_one_telling(pool: Any, feed: PostgresFeed) -> None:
    ears = [feed.listen(patience=600) for _ in range(3)]
    start, *_ = [await anext(ear) for ear in ears]
    for number in range(5):
        await pool.execute(INSERT, f"n{number}", "s")
    told = await feed.tell(start)
    assert [await asyncio.wait_for(anext(ear), 30) for ear in ears] == [told] * 3
    assert await feed.tell(told) == told, "nothing new, nothing told"
    for ear in ears:
        await ear.aclose()

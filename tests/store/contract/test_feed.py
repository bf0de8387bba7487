"""The feed: every notice at least once, in order per subject, never one that could still be overtaken."""

from typing import Any

import pytest

from commonweal.platform.ports import Timer
from commonweal.platform.topic import Notice, Position

TRIES = 3


class Telling:
    """A reader of its own for one test, and notices made for it by timers that are due at once."""

    def __init__(self, store: Any, feed: Any, fresh: str) -> None:
        self.store, self.feed, self.fresh = store, feed, fresh

    async def begin(self) -> None:
        """Handle whatever other tests left."""
        while notices := await self.feed.notices(self.fresh, 1000):
            await self.feed.done(self.fresh, notices)

    async def tell(self, *names: str) -> None:
        """One notice after the other; the letter of a name is its subject."""
        for name in names:
            await self.store.schedule([Timer(self.fresh + name, 0, name, f"Task/{self.fresh}{name[0]}")])
            await self.feed.due(1000)

    async def notices(self, limit: int = 100) -> list[Notice]:
        return list(await self.feed.notices(self.fresh, limit))

    async def topics(self, limit: int = 100) -> list[str]:
        return [each.topic for each in await self.notices(limit)]

    async def done(self, *names: str) -> None:
        await self.feed.done(self.fresh, [n for n in await self.notices() if n.topic in names])

    async def fail(self, name: str, times: int = 1) -> bool:
        parked = False
        for _ in range(times):
            (notice,) = [n for n in await self.notices() if n.topic == name]
            parked = await self.feed.failed(self.fresh, notice, "it broke")
        return parked


@pytest.fixture
async def telling(store: Any, feed: Any, fresh: str) -> Telling:
    telling = Telling(store, feed, fresh)
    await feed.due(1000)
    await telling.begin()
    return telling


async def test_notices_come_in_order_until_they_are_done(telling: Telling) -> None:
    await telling.tell("a1", "b1", "a2")
    assert await telling.topics() == ["a1", "b1", "a2"]
    assert await telling.topics() == ["a1", "b1", "a2"], "not done, so told again"
    await telling.done("a1", "b1")
    assert await telling.topics() == ["a2"]
    await telling.done("a2")
    assert await telling.topics() == []


async def test_no_more_come_than_asked(telling: Telling) -> None:
    await telling.tell("a1", "b1", "a2")
    assert await telling.topics(2) == ["a1", "b1"]


async def test_each_reader_has_a_place_of_its_own(telling: Telling, feed: Any, fresh: str) -> None:
    await telling.tell("a1")
    await telling.done("a1")
    other = Telling(telling.store, feed, fresh + "other")
    assert "a1" in [n.topic for n in await other.notices(10_000) if n.id == f"{fresh}a"]


async def test_nothing_done_moves_nobody(telling: Telling, feed: Any, fresh: str) -> None:
    await telling.tell("a1")
    await feed.done(fresh, [])
    assert await telling.topics() == ["a1"]


async def test_what_lies_before_and_was_not_handled_still_comes(telling: Telling) -> None:
    await telling.tell("a1", "b1", "c1")
    await telling.done("c1")
    assert await telling.topics() == ["a1", "b1"]
    await telling.done("b1")
    await telling.tell("c2")
    assert await telling.topics() == ["a1", "c2"]


async def test_a_failure_is_tried_again_and_counted(telling: Telling) -> None:
    await telling.tell("a1", "b1")
    assert not await telling.fail("a1")
    assert [(n.topic, n.attempts) for n in await telling.notices()] == [("a1", 1), ("b1", 0)]
    await telling.done("a1", "b1")
    assert await telling.topics() == []


async def test_after_the_last_try_it_is_parked_and_its_subject_held(
    telling: Telling, feed: Any, fresh: str
) -> None:
    await telling.tell("a1", "b1", "a2")
    assert not await telling.fail("a1", TRIES - 1)
    assert await telling.fail("a1")
    await telling.tell("a3", "b2")
    assert await telling.topics() == ["b1", "b2"], "nothing of this subject comes, all others do"
    await telling.done("b1", "b2")
    assert await telling.topics() == []
    ((parked, error),) = await feed.parked(fresh)
    assert (parked.topic, parked.attempts, error) == ("a1", TRIES, "it broke")


async def test_released_its_subject_goes_on_in_order(telling: Telling, feed: Any, fresh: str) -> None:
    await telling.tell("a1", "b1", "a2")
    await telling.fail("a1", TRIES)
    await telling.done("b1")
    await feed.release(fresh, f"Task/{fresh}a")
    assert [(n.topic, n.attempts) for n in await telling.notices()] == [("a1", 0), ("a2", 0)]
    await telling.done("a1")
    assert await telling.topics() == ["a2"]
    assert not await feed.parked(fresh)


async def test_a_subject_is_held_for_one_reader_only(telling: Telling, feed: Any, fresh: str) -> None:
    other = Telling(telling.store, feed, fresh + "other")
    await other.begin()
    await telling.tell("a1")
    await telling.fail("a1", TRIES)
    assert await telling.topics() == []
    assert await other.topics() == ["a1"]


async def test_a_position_remembered_shows_what_came_after_it(
    telling: Telling, feed: Any, fresh: str
) -> None:
    await telling.tell("a1")
    position = await feed.position()
    assert not await feed.after(position, 10)
    await telling.tell("b1", "b2")
    later = await feed.after(position, 10)
    assert [n.topic for n in later] == ["b1", "b2"]
    assert [n.topic for n in await feed.after(later[0].position, 10)] == ["b2"]
    assert Position.parse(str(later[0].position)) == later[0].position


async def test_whoever_listens_hears_at_once_and_again(telling: Telling, feed: Any) -> None:
    news = feed.listen()
    first = await anext(news)
    assert not await feed.after(first, 10)
    await telling.tell("a1")
    if hasattr(feed, "tell"):
        await feed.tell(first)
    heard = await anext(news)
    assert heard > first
    assert [n.topic for n in await feed.after(first, 10)] == ["a1"]
    await news.aclose()


async def test_a_reader_that_is_forgotten_begins_anew(telling: Telling, feed: Any, fresh: str) -> None:
    await telling.tell("a1")
    await telling.done("a1")
    await feed.forget(fresh)
    assert "a1" in [n.topic for n in await telling.notices(10_000) if n.id == f"{fresh}a"]


async def test_a_reader_of_some_topics_goes_past_the_others(telling: Telling) -> None:
    await telling.tell("a1", "b1", "c1")
    mine = await telling.feed.notices(telling.fresh, 100, ["b1"])
    assert [each.topic for each in mine] == ["b1"]
    await telling.feed.done(telling.fresh, mine, ["b1"])
    assert await telling.topics() == ["c1"], "what was passed and is no topic of its own does not wait"


async def test_skipping_goes_past_what_does_not_matter_and_never_past_what_does(telling: Telling) -> None:
    await telling.tell("a1", "b1", "c1")
    await telling.feed.skip(telling.fresh, ["b1"])
    assert await telling.topics() == ["a1", "b1", "c1"]
    await telling.feed.skip(telling.fresh, ["d1"])
    assert await telling.topics() == []
    await telling.tell("d1")
    assert await telling.topics() == ["d1"]

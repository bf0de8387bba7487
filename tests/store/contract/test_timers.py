"""Timers fire once, when the given clock says so; leases have one holder and a growing token."""

import asyncio
from typing import Any

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Timer
from commonweal.platform.topic import Position
from tests.store.contract.conftest import Clock

DAY = 86_400_000_000


@pytest.fixture(autouse=True)
async def nothing_due(feed: Any, clock: Clock) -> None:
    """What other tests left is told first."""
    clock.now = 2**60
    while await feed.due(1000):
        pass
    clock.now = DAY


def timer(fresh: str, name: str, due: int, sequence: int = 0) -> Timer:
    return Timer(fresh + name, due, "Task.late", f"Task/{fresh}{name}", sequence)


async def test_a_timer_is_told_once_when_it_is_due(store: Any, feed: Any, clock: Clock, fresh: str) -> None:
    late = timer(fresh, "a", DAY + 10, 3)
    await store.schedule([late])
    assert await feed.due(10) == []
    clock.now = DAY + 10
    assert await feed.due(10) == [late]
    assert await feed.due(10) == []


async def test_a_timer_that_is_due_becomes_a_notice(store: Any, feed: Any, clock: Clock, fresh: str) -> None:
    before = await feed.position()
    await store.schedule([timer(fresh, "a", DAY, 3)])
    await feed.due(10)
    (notice,) = [each for each in await feed.after(before, 1000) if each.id == f"{fresh}a"]
    assert (notice.topic, notice.type, notice.version, notice.cause) == ("Task.late", "Task", 3, f"{fresh}a")
    assert notice.subject == f"Task/{fresh}a"
    assert notice.position > before


async def test_timers_come_in_order_and_no_more_than_asked(
    store: Any, feed: Any, clock: Clock, fresh: str
) -> None:
    await store.schedule([timer(fresh, name, due) for name, due in (("c", 3), ("a", 1), ("b", 2))])
    assert [each.key for each in await feed.due(2)] == [f"{fresh}a", f"{fresh}b"]
    assert [each.key for each in await feed.due(2)] == [f"{fresh}c"]


async def test_a_key_set_again_is_replaced(store: Any, feed: Any, clock: Clock, fresh: str) -> None:
    await store.schedule([timer(fresh, "a", DAY)])
    await store.schedule([timer(fresh, "a", DAY + 5), timer(fresh, "a", DAY + 9)])
    assert await feed.due(10) == []
    clock.now = DAY + 9
    assert [each.due for each in await feed.due(10)] == [DAY + 9]


async def test_a_timer_can_be_cancelled_and_one_that_is_not_there_too(
    store: Any, feed: Any, fresh: str
) -> None:
    await store.schedule([timer(fresh, "a", 1), timer(fresh, "b", 1)])
    await store.schedule([], cancel=[f"{fresh}a", f"{fresh}unknown"])
    assert [each.key for each in await feed.due(10)] == [f"{fresh}b"]


async def test_cancelled_and_set_in_one_call_it_is_set(store: Any, feed: Any, fresh: str) -> None:
    await store.schedule([timer(fresh, "a", 1)], cancel=[f"{fresh}a"])
    assert [each.key for each in await feed.due(10)] == [f"{fresh}a"]


async def test_those_who_ask_at_once_get_different_timers(store: Any, feed: Any, fresh: str) -> None:
    keys = {f"{fresh}{number:02}" for number in range(48)}
    await store.schedule([timer(fresh, f"{number:02}", number) for number in range(48)])
    taken: list[Timer] = []
    while len(taken) < 48:
        taken += [each for some in await asyncio.gather(*(feed.due(4) for _ in range(8))) for each in some]
    assert sorted(each.key for each in taken) == sorted(keys)


async def test_one_holds_a_lease_and_may_prolong_it(feed: Any, fresh: str) -> None:
    first = await feed.lease(fresh, "a", 60)
    assert await feed.lease(fresh, "b", 60) is None
    again = await feed.lease(fresh, "a", 60)
    assert again.token == first.token
    assert again.until >= first.until


async def test_each_new_holder_has_a_greater_token(feed: Any, fresh: str) -> None:
    first = await feed.lease(fresh, "a", 0)
    second = await feed.lease(fresh, "b", 0)
    third = await feed.lease(fresh, "a", 60)
    assert first.token < second.token < third.token


async def test_one_of_many_gets_the_lease(feed: Any, fresh: str) -> None:
    got = await asyncio.gather(*(feed.lease(fresh, f"holder{n}", 60) for n in range(16)))
    assert sum(lease is not None for lease in got) == 1


async def test_who_lost_the_lease_cannot_move_the_reader(store: Any, feed: Any, fresh: str) -> None:
    lost = await feed.lease(fresh, "a", 0)
    held = await feed.lease(fresh, "b", 60)
    await store.schedule([timer(fresh, "x", 1)])
    await feed.due(10)
    notices = await feed.after(Position(), 10_000)
    with pytest.raises(Problem) as refused:
        await feed.under(lost).done(fresh, notices)
    assert refused.value.status == 409
    with pytest.raises(Problem):
        await feed.under(lost).failed(fresh, notices[0], "late")
    await feed.under(held).done(fresh, notices)
    assert not await feed.notices(fresh, 10)

"""The drawers: one suite for those in memory and those on PostgreSQL."""

import asyncio
from typing import Any

import asyncpg
import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity.drawers import FOREVER, Entry, Taken
from tests.store.identity.conftest import START, Clock, Ring

SOON = START + 10_000_000


async def test_what_is_put_is_there(drawers: Any) -> None:
    assert await drawers.get("a", "1") is None
    assert await drawers.put("a", "1", b"one", owner="me") == 1
    assert await drawers.get("a", "1") == Entry("1", b"one", 1, "me", FOREVER)
    assert await drawers.get("b", "1") is None
    assert await drawers.put("a", "1", b"uno") == 2
    assert await drawers.get("a", "1") == Entry("1", b"uno", 2, "", FOREVER)


async def test_only_the_current_version_can_be_changed(drawers: Any) -> None:
    assert await drawers.put("a", "1", b"one", version=0) == 1
    for version in (0, 2, 7):
        with pytest.raises(Taken):
            await drawers.put("a", "1", b"two", version=version)
    assert await drawers.put("a", "1", b"two", version=1) == 2
    with pytest.raises(Taken):
        await drawers.put("a", "1", b"three", version=1)
    with pytest.raises(Taken):
        await drawers.put("a", "never there", b"", version=1)
    assert (await drawers.get("a", "1")).data == b"two"


async def test_one_of_sixteen_makes_it_and_one_changes_it(drawers: Any) -> None:
    for version in (0, 1):
        tries = (drawers.put("a", "1", b"%d" % n, version=version) for n in range(16))
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["Taken"] * 15 + ["int"]


async def test_exactly_one_of_sixteen_takes_it(drawers: Any) -> None:
    for round in range(8):
        await drawers.put("a", str(round), b"once")
        taken = await asyncio.gather(*(drawers.take("a", str(round)) for _ in range(16)))
        assert [entry.data for entry in taken if entry] == [b"once"]
        assert await drawers.get("a", str(round)) is None


async def test_what_is_past_its_time_is_not_there(drawers: Any, clock: Clock) -> None:
    for id in ("1", "2", "3"):
        await drawers.put("a", id, b"soon gone", owner="me", until=SOON)
    await drawers.put("a", "4", b"stays", owner="me")
    clock.wait(9.999999)
    assert len(await drawers.of("a", "me")) == 4
    clock.wait(0.000001)
    assert await drawers.get("a", "1") is None
    assert [entry.id for entry in await drawers.of("a", "me")] == ["4"]
    assert [entry.id for entry in await drawers.page("a")] == ["4"]
    assert await drawers.take("a", "1") is None
    assert not await drawers.remove("a", "2")
    with pytest.raises(Taken):
        await drawers.put("a", "3", b"changed", version=1)
    assert await drawers.put("a", "3", b"anew", version=0)
    assert (await drawers.get("a", "3")).data == b"anew"


async def test_expired_ones_are_thrown_away(drawers: Any, clock: Clock) -> None:
    await drawers.put("a", "1", b"", until=SOON)
    await drawers.count("n", "1", SOON)
    await drawers.put("a", "2", b"")
    assert await drawers.expire() == 0
    clock.wait(10)
    assert await drawers.expire() == 2
    assert await drawers.expire() == 0
    assert await drawers.get("a", "2")


async def test_all_of_an_owner_are_found_and_removed(drawers: Any) -> None:
    for id, owner in (("b", "me"), ("a", "me"), ("c", "you"), ("d", "")):
        await drawers.put("a", id, b"", owner=owner)
    await drawers.put("z", "e", b"", owner="me")
    assert [entry.id for entry in await drawers.of("a", "me")] == ["a", "b"]
    assert await drawers.remove_of("a", "me") == 2
    assert await drawers.remove_of("a", "me") == 0
    assert [entry.id for entry in await drawers.page("a")] == ["c", "d"]
    assert await drawers.get("z", "e")
    assert await drawers.remove("a", "c")
    assert not await drawers.remove("a", "c")


async def test_pages_follow_one_another(drawers: Any) -> None:
    for id in ("b", "A", "d", "c", "é"):
        await drawers.put("a", id, id.encode())
    first = await drawers.page("a", limit=3)
    assert [entry.id for entry in first] == ["A", "b", "c"]
    assert [entry.id for entry in await drawers.page("a", "c", 3)] == ["d", "é"]


async def test_a_count_misses_nobody_and_starts_again(drawers: Any, clock: Clock) -> None:
    counts = await asyncio.gather(*(drawers.count("n", "1", SOON) for _ in range(32)))
    assert sorted(counts) == list(range(1, 33))
    clock.wait(5)
    assert await drawers.count("n", "1", SOON + 5_000_000) == 33
    entry = await drawers.get("n", "1")
    assert (entry.version, entry.until, entry.data) == (33, SOON, b"")
    clock.wait(5)
    assert await drawers.get("n", "1") is None
    assert await drawers.count("n", "1", SOON + 5_000_000) == 1


async def test_old_keys_open_and_the_new_one_seals(drawers: Any, ring: Ring) -> None:
    for number in range(5):
        await drawers.put("a", str(number), b"%d" % number)
    await drawers.count("n", "1", SOON)
    ring.turn()
    assert (await drawers.get("a", "1")).data == b"1"
    await drawers.put("a", "4", b"four")
    done = [await drawers.reseal(limit=3) for _ in range(3)]
    assert done == [3, 1, 0]
    ring.forget()
    assert [entry.data for entry in await drawers.page("a")] == [b"0", b"1", b"2", b"3", b"four"]
    assert (await drawers.get("a", "1")).version == 1


async def test_what_no_key_opens_is_refused(drawers: Any, ring: Ring) -> None:
    await drawers.put("a", "1", b"secret")
    ring.turn()
    ring.forget()
    with pytest.raises(Problem, match="key first"):
        await drawers.get("a", "1")


async def test_nothing_shows_in_the_table_or_in_a_trace(postgres_drawers: Any, database: str) -> None:
    await postgres_drawers.put("a", "1", b"open sesame")
    connection = await asyncpg.connect(database)
    try:
        kept = await connection.fetchval("select data from identity.drawer")
        assert b"sesame" not in kept
        assert "sesame" not in repr(await postgres_drawers.get("a", "1"))
        await connection.execute("update identity.drawer set id = '2'")
        with pytest.raises(Problem, match="changed from outside"):
            await postgres_drawers.get("a", "2")
        await connection.execute("update identity.drawer set id = '1', data = substring(data for 20)")
        with pytest.raises(Problem, match="changed from outside"):
            await postgres_drawers.get("a", "1")
    finally:
        await connection.close()

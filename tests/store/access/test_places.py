"""Which place lies in which, as Location.partOf says: made, moved, taken away, brought back; never in a circle."""

import itertools
from typing import Any

import pytest

from commonweal.fhir.outcome import Problem
from tests.store.access.conftest import Keeper

Json = dict[str, Any]


def place(keeper: Keeper, name: str, within: str = "") -> Json:
    part = {"partOf": keeper.ref("Location", within)} if within else {}
    return {"resourceType": "Location", "id": name, **part}


async def land(keeper: Keeper, *ways: str) -> None:
    """Places such as "ba": b is part of a."""
    await keeper.save(*(place(keeper, *way) for way in ways))


async def test_a_place_lies_within_all_above_it(keeper: Keeper) -> None:
    await land(keeper, "a", "ba", "cb", "da")
    assert await keeper.below("a", *"abcd") == "abcd"
    assert await keeper.below("b", *"abcd") == "bc"
    assert await keeper.below("d", *"abcd") == "d"


@pytest.mark.parametrize("order", list(itertools.permutations(("a", "ba", "cb", "dc"))))
async def test_in_whatever_order_they_come(keeper: Keeper, order: tuple[str, ...]) -> None:
    for way in order:
        await land(keeper, way)
    found = [await keeper.below(each, *"abcd") for each in "abcd"]
    assert found == ["abcd", "bcd", "cd", "d"]


async def test_what_moves_takes_along_all_within_it(keeper: Keeper) -> None:
    await land(keeper, "a", "z", "ba", "cb", "dc")
    await land(keeper, "bz")
    assert await keeper.below("a", *"abcdz") == "a"
    assert await keeper.below("z", *"abcdz") == "bcdz"
    assert await keeper.below("c", *"abcdz") == "cd"


async def test_several_move_at_once(keeper: Keeper) -> None:
    await land(keeper, "a", "ba", "cb", "dc", "z")
    await land(keeper, "c", "dz", "bc")
    assert [await keeper.below(each, *"abcdz") for each in "abcdz"] == ["a", "b", "bc", "d", "dz"]


async def test_what_is_taken_away_parts_what_is_within_it_from_what_is_above(keeper: Keeper) -> None:
    await land(keeper, "a", "ba", "cb")
    await keeper.delete("Location/b")
    assert await keeper.below("a", *"abc") == "a"
    assert await keeper.below("b", *"c") == "c"
    await land(keeper, "ba")
    assert await keeper.below("a", *"abc") == "abc"


async def test_nothing_lies_within_itself(keeper: Keeper) -> None:
    await land(keeper, "a", "ba", "cb")
    for circle in (("ac",), ("aa",), ("ad", "db")):
        with pytest.raises(Problem, match="within itself"):
            await land(keeper, *circle)
    assert await keeper.below("a", *"abcd") == "abc"
    assert await keeper.below("c", *"abcd") == "c"


async def test_a_place_may_come_with_a_create(keeper: Keeper) -> None:
    await keeper.create(place(keeper, "a"))
    await keeper.create(place(keeper, "b", "a"))
    assert await keeper.below("a", *"ab") == "ab"

"""The ledger: reservations never overdraw, facts are never refused, every key moves once, nothing is lost."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonweal.fhir.outcome import Problem
from commonweal.platform.balance import OUTSIDE, Movement, reversal

WORLDS = itertools.count(1)
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


async def held(store: Any, *accounts: str) -> list[int]:
    found = await store.balances(accounts)
    return [found[account] for account in accounts]


async def test_what_moves_is_held_elsewhere(store: Any, fresh: str) -> None:
    slot, used = fresh + "slot", fresh + "used"
    before = await held(store, OUTSIDE)
    await store.move([Movement(fresh + "a", OUTSIDE, slot, 5), Movement(fresh + "b", slot, used, 2)])
    assert await held(store, slot, used) == [3, 2]
    assert await held(store, OUTSIDE) == [before[0] - 5]


async def test_an_account_never_moved_holds_nothing(store: Any, fresh: str) -> None:
    assert await held(store, fresh + "x") == [0]


async def test_a_reservation_that_would_overdraw_is_refused_with_all_beside_it(
    store: Any, fresh: str
) -> None:
    slot, used = fresh + "slot", fresh + "used"
    await store.move([Movement(fresh + "a", OUTSIDE, slot, 1)])
    with pytest.raises(Problem) as refused:
        await store.move([Movement(fresh + "b", slot, used, 1), Movement(fresh + "c", slot, used, 1)])
    assert refused.value.status == 409
    assert await held(store, slot, used) == [1, 0]


async def test_movements_follow_each_other_in_key_order(store: Any, fresh: str) -> None:
    slot, used = fresh + "slot", fresh + "used"
    await store.move([Movement(fresh + "b", slot, used, 3), Movement(fresh + "a", OUTSIDE, slot, 3)])
    assert await held(store, slot, used) == [0, 3]
    with pytest.raises(Problem):
        await store.move([Movement(fresh + "c", slot, used, 1), Movement(fresh + "d", OUTSIDE, slot, 1)])


async def test_a_fact_is_never_refused_and_its_shortfall_is_seen(store: Any, fresh: str) -> None:
    batch, given_ = fresh + "batch", fresh + "given"
    await store.move([Movement(fresh + "a", OUTSIDE, batch, 2)])
    await store.move([Movement(fresh + "b", batch, given_, 5, fact=True)])
    assert await held(store, batch, given_, f"discrepancy/{batch}") == [0, 5, -3]


async def test_a_reversal_is_exact_even_of_a_shortfall(store: Any, fresh: str) -> None:
    batch, given_ = fresh + "batch", fresh + "given"
    fact = Movement(fresh + "b", batch, given_, 5, fact=True)
    await store.move([Movement(fresh + "a", OUTSIDE, batch, 2)])
    await store.move([fact])
    undo = reversal(fact, "recorded twice")
    await store.move([undo])
    assert await held(store, batch, given_, f"discrepancy/{batch}") == [2, 0, 0]
    await store.move([reversal(undo, "it was right after all")])
    assert await held(store, batch, given_, f"discrepancy/{batch}") == [0, 5, -3]


async def test_a_key_moves_once(store: Any, fresh: str) -> None:
    slot = fresh + "slot"
    movement = Movement(fresh + "a", OUTSIDE, slot, 2)
    await store.move([movement, movement])
    await store.move([movement])
    assert await held(store, slot) == [2]


async def test_a_key_used_for_another_movement_is_a_conflict(store: Any, fresh: str) -> None:
    await store.move([Movement(fresh + "a", OUTSIDE, fresh + "slot", 2)])
    with pytest.raises(Problem) as refused:
        await store.move([Movement(fresh + "a", OUTSIDE, fresh + "slot", 3)])
    assert refused.value.status == 409


@pytest.mark.parametrize(
    "movement",
    [
        Movement("k", "a", "b", 0),
        Movement("k", "a", "b", -1),
        Movement("k", "a", "b", 2**63),
        Movement("k", "a", "a", 1),
        Movement("", "a", "b", 1),
        Movement("k", "a\0", "b", 1),
        Movement("k", "discrepancy/a", "b", 1),
    ],
)
async def test_a_movement_without_sense_is_refused(store: Any, movement: Movement) -> None:
    with pytest.raises(Problem) as refused:
        await store.move([movement])
    assert refused.value.status == 400


async def test_a_movement_is_undone_with_its_transaction(store: Any, fresh: str) -> None:
    slot = fresh + "slot"
    with pytest.raises(RuntimeError):
        async with store.transaction() as transaction:
            await transaction.move([Movement(fresh + "a", OUTSIDE, slot, 2)])
            assert await transaction.balances([slot]) == {slot: 2}
            raise RuntimeError("the work fails")
    assert await held(store, slot) == [0]
    await store.move([Movement(fresh + "a", OUTSIDE, slot, 2)])
    assert await held(store, slot) == [2]


async def test_sixteen_at_once_cannot_spend_the_last_ten_places_twice(store: Any, fresh: str) -> None:
    slot, used = fresh + "slot", fresh + "used"
    await store.move([Movement(fresh + "open", OUTSIDE, slot, 10)])

    async def reserve(number: int) -> bool:
        try:
            await store.move([Movement(f"{fresh}{number}", slot, used, 1)])
        except Problem as refused:
            assert refused.status == 409
            return False
        return True

    got = await asyncio.gather(*(reserve(number) for number in range(16)))
    assert got.count(True) == 10
    assert await held(store, slot, used) == [0, 10]


async def test_sixteen_at_once_with_one_key_move_once(store: Any, fresh: str) -> None:
    slot = fresh + "slot"
    movement = Movement(fresh + "once", OUTSIDE, slot, 7)
    await asyncio.gather(*(store.move([movement]) for _ in range(16)))
    assert await held(store, slot) == [7]


async def test_moves_that_cross_never_wait_for_each_other_in_a_circle(store: Any, fresh: str) -> None:
    accounts = [f"{fresh}{name}" for name in "abcd"]
    await store.move([Movement(f"{fresh}open{a}", OUTSIDE, a, 100) for a in accounts])

    async def cross(number: int) -> None:
        for step in range(8):
            pairs = itertools.permutations(accounts, 2)
            moves = [
                Movement(f"{fresh}{number}.{step}.{i}", a, b, 30 * (i + 1), fact=True)
                for i, (a, b) in enumerate(pairs)
                if (i + number) % 3
            ]
            await store.move(moves)

    await asyncio.gather(*(cross(number) for number in range(16)))
    both = [*accounts, *(f"discrepancy/{a}" for a in accounts)]
    assert sum(await held(store, *both)) == 400


ACCOUNTS = st.sampled_from(["outside", "a", "b", "c"])
MOVES = st.lists(
    st.tuples(ACCOUNTS, ACCOUNTS, st.integers(1, 9), st.booleans(), st.integers(0, 12), st.booleans()),
    max_size=12,
)


def movements(world: str, drawn: list[tuple[Any, ...]]) -> list[Movement]:
    """Drawn moves as movements of one world; some reverse the one before."""
    made: list[Movement] = []
    for source, target, amount, fact, key, undo in drawn:
        if source == target:
            continue
        names = [name if name == OUTSIDE else f"{world}{name}" for name in (source, target)]
        movement = Movement(f"{world}{key}", names[0], names[1], amount, fact)
        made.append(reversal(made[-1], "undo") if undo and made else movement)
    return made


@relaxed
@given(drawn=st.lists(MOVES, max_size=6))
async def test_both_ledgers_agree_and_nothing_is_ever_lost(
    memory_store: Any, postgres_store: Any, drawn: list[list[tuple[Any, ...]]]
) -> None:
    world = f"w{next(WORLDS)}/"
    accounts = [world + name for name in "abc"]
    accounts += [f"discrepancy/{account}" for account in accounts]
    for call in drawn:
        answers = []
        for store in (memory_store, postgres_store):
            before = await held(store, *accounts, OUTSIDE)
            try:
                await store.move(movements(world, call))
                answer = 200
            except Problem as refused:
                answer = refused.status
                assert await held(store, *accounts, OUTSIDE) == before, "refused, but something moved"
            after = await held(store, *accounts, OUTSIDE)
            assert all(amount >= 0 for amount in after[:3])
            assert sum(after) == sum(before), "what one account loses another gains"
            answers.append((answer, after[:6]))
        assert answers[0] == answers[1]


@relaxed
@given(drawn=MOVES)
async def test_telling_it_again_changes_nothing(store: Any, drawn: list[tuple[Any, ...]]) -> None:
    world = f"w{next(WORLDS)}/"
    facts = [
        Movement(f"{world}{n}", m.source, m.target, m.amount, True)
        for n, m in enumerate(movements(world, drawn))
    ]
    accounts = sorted({a for m in facts for a in (m.source, m.target)})
    await store.move(facts)
    once = await held(store, *accounts)
    await store.move(facts)
    assert await held(store, *accounts) == once
    await store.move([reversal(m, "all of it") for m in facts])
    twice = await held(store, *accounts)
    await store.move([reversal(m, "all of it") for m in facts])
    assert await held(store, *accounts) == twice

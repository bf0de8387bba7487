"""`commonweal check` names ties, rules and places that are not what the bodies say; indexing anew makes them so."""

from typing import Any

import pytest

from commonweal.platform.ports import Lease
from commonweal.store.access.agreement import faults
from commonweal.store.tokens import Tokens
from tests.store.access.conftest import Keeper
from tests.store.access.test_keeping import DOCTORS, D, consent, encounter
from tests.store.access.test_places import land
from tests.store.conftest import KEY

DAMAGES = {
    "a tie lost": "delete from access.tie where source = $1",
    "a tie that lasts longer": "update access.tie set until = until - 1 where source = $1",
    "a tie to somebody else": "update access.tie set party = party + 1 where source = $1",
    "a rule lost": "delete from access.rule where source = $2",
    "a rule for others": "update access.rule set parties = '{1}' where source = $2",
    "a tie of nothing": "insert into access.tie select 1, kind, party, patient, 0, until from access.tie "
    "where source = $1",
    "a place moved": "update access.place set within = 1 where area = $3 and steps = 1",
    "a place that lies nowhere": "delete from access.place where area = $3 and steps = 2",
}  # fmt: skip


@pytest.fixture
async def kept(postgres_store: Any) -> Keeper:
    """An encounter, a consent, and three places within each other."""
    keeper = Keeper(postgres_store)
    await keeper.create(encounter(keeper), consent(keeper, type="deny"))
    await land(keeper, "a", "ba", "cb")
    return keeper


async def found(keeper: Keeper, connection: Any) -> list[str]:
    async with connection.transaction():
        return [fault async for _, fault in faults(connection, Tokens(KEY), ()) if fault]


def places(keeper: Keeper, damage: str) -> list[Any]:
    """The arguments of a damage."""
    names = ("Encounter/e", "Consent/c", "Location/c")
    return [keeper.name(each) for number, each in enumerate(names, 1) if f"${number}" in damage]


def numbered(damage: str) -> str:
    """With its arguments counted from one."""
    return damage.replace("$2", "$1").replace("$3", "$1")


@pytest.mark.parametrize("damage", DAMAGES)
async def test_each_damage_is_found(kept: Keeper, damage: str) -> None:
    async with kept.store.pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        try:
            assert await found(kept, connection) == []
            text = DAMAGES[damage]
            assert (await connection.execute(numbered(text), *places(kept, text))).split()[-1] != "0"
            assert await found(kept, connection) != []
        finally:
            await undone.rollback()


async def test_indexing_anew_makes_them_what_the_bodies_say(kept: Keeper) -> None:
    async def lease(name: str) -> Lease:
        return Lease(name, "test", 1, 2**62)

    async with kept.store.pool.acquire() as connection:
        for table in ("tie", "rule", "place"):
            await connection.execute(f"delete from access.{table}")
    reindexer = kept.store.reindexer(lease)
    await reindexer.ask()
    while await reindexer.tick():
        pass
    assert await kept.tied(*DOCTORS) == {D}
    assert len((await kept.facts()).rules) == 1
    assert await kept.below("a", *"abc") == "abc"
    async with kept.store.pool.acquire() as connection:
        assert await found(kept, connection) == []

"""An export's time is true: whatever was begun before it is waited for, and nothing else."""

import asyncio

import asyncpg

from commonweal.platform.ports import Audited
from commonweal.store.beside.settled import GAP, settled
from commonweal.store.postgres import PostgresStore

SOON = 0.01


async def waits(waiting: "asyncio.Task[None]") -> bool:
    """Is it still not done after a good while?"""
    done, _ = await asyncio.wait([waiting], timeout=3 * GAP / 1_000_000)
    return not done


async def test_what_was_open_is_waited_for(postgres_store: PostgresStore) -> None:
    async with postgres_store.transaction() as transaction:
        began = await transaction.now()
        waiting = asyncio.create_task(settled(postgres_store.pool, began + 1, SOON))
        assert await waits(waiting)
    await asyncio.wait_for(waiting, 10)


async def test_a_transaction_counts_before_it_has_written(postgres_store: PostgresStore) -> None:
    """It is stamped with its beginning, though it has no number yet"""
    async with postgres_store.transaction() as transaction:
        began = await transaction.now()
        waiting = asyncio.create_task(settled(postgres_store.pool, began, SOON))
        assert await waits(waiting)
        await transaction.write([], Audited("w", "a", "TREAT", "transaction"))
        assert await waits(waiting)
    await asyncio.wait_for(waiting, 10)


async def test_what_begins_later_is_not_waited_for(postgres_store: PostgresStore) -> None:
    open_ = postgres_store.transaction()
    began = await (await open_.__aenter__()).now()
    waiting = asyncio.create_task(settled(postgres_store.pool, began, SOON))
    assert await waits(waiting)
    async with postgres_store.transaction() as later:
        await later.now()
        await open_.__aexit__(None, None, None)
        await asyncio.wait_for(waiting, 10)


async def test_others_programs_do_not_hold_it_up(postgres_store: PostgresStore, database: str) -> None:
    dump = await asyncpg.connect(database, server_settings={"application_name": "pg_dump"})
    try:
        async with dump.transaction(isolation="repeatable_read", readonly=True):
            await dump.fetchval("select 1")
            await asyncio.wait_for(settled(postgres_store.pool, await postgres_store.now(), SOON), 10)
    finally:
        await dump.close()

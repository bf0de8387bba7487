"""`verify` finds nothing wrong in a whole record, and names each damage that is done behind its back."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from commonweal.platform.balance import OUTSIDE, Movement
from commonweal.store import embedded
from commonweal.store.audit import seal
from commonweal.store.beside.blobs import Blobs
from commonweal.store.verify import Check, verify
from tests.store.conftest import KEY, at
from tests.store.contract.speaking import Record, deletion, observation, patient, registry

SEAL = b"seals"


@pytest.fixture
async def superuser(server: Any, database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(at(server.dsn(embedded.ADMIN), urlsplit(database).path[1:]))
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


async def filled(store: Any) -> None:
    """Some of everything, once for the whole module."""
    record = Record(store, "v")
    if await record.ids("Patient?_id=v1"):
        return
    quantity = {"value": 1.5, "system": "http://unitsofmeasure.org", "code": "mg"}
    await record.save(
        patient("v1", name=[{"family": "Müller", "given": ["李"]}], birthDate="1980"),
        observation("v2", "Patient/v1", valueQuantity=quantity, effectiveDateTime="2020-01-01"),
        observation("v3", "Patient/v1", component=[{"code": {"text": "x"}, "valueQuantity": quantity}]),
    )
    await record.save(patient("v1", name=[{"family": "Meier"}]))
    await record.save(patient("v1", name=[{"family": "Mayer"}]))
    await record.write(deletion("Observation", "v3"))
    await store.move([Movement("v1", OUTSIDE, "stock", 5), Movement("v2", "stock", "given", 9, fact=True)])
    await Blobs(store.pool).save(_bytes())
    async with store.pool.acquire() as connection:
        await seal.seal(connection, SEAL)


async def _bytes() -> AsyncIterator[bytes]:
    yield b"a blob"


async def checks(connection: Any) -> list[Check]:
    return [check async for check in verify(connection, KEY, registry(), seal_key=SEAL)]


async def test_a_whole_record_is_whole(postgres_store: Any) -> None:
    await filled(postgres_store)
    async with postgres_store.pool.acquire() as connection:
        told = await checks(connection)
    assert [check.name for check in told if check.wrong] == [], "\n".join(map(str, told))
    assert all(check.examined for check in told), "\n".join(map(str, told))


DAMAGES = {
    "an audit row changed": (
        "the audit is as it was sealed",
        "update beside.audit set agent = 'somebody else'",
    ),
    "a balance moved by hand": (
        "balances are the sums of their movements",
        "update beside.balance set amount = amount + 1 where account = 'given'",
    ),
    "a movement removed": (
        "balances are the sums of their movements",
        "delete from beside.movement where key = 'v2'",
    ),
    "a notice from the future": (
        "notices and their readers stand where they should",
        "update beside.outbox set xid = '999999999999' where id = 'v2'",
    ),
    "a blob exchanged": ("blobs are what their names say", "update beside.chunk set data = 'another'"),
    "a version missing": (
        "history has every version once",
        "delete from history.\"Patient\" where id = 'v1' and version = 1",
    ),
    "a record missing": ("history has every version once", "delete from record.\"Patient\" where id = 'v1'"),
    "a version renumbered": (
        "bodies say what their rows say",
        "update record.\"Observation\" set version = 2 where id = 'v2'",
    ),
    "a time changed": (
        "bodies say what their rows say",
        'update history."Patient" set updated = updated + 1',
    ),
    "a body changed": (
        "the index says what the bodies say",
        "update record.\"Patient\" set body = replace(body, 'Mayer', 'Maier')",
    ),
    "a token lost": (
        "the index says what the bodies say",
        "update record.\"Observation\" set tok = tok[2:] where id = 'v2'",
    ),
    "a range changed": ("the index says what the bodies say", "update record.ranged set hi = hi + 1"),
    "a patient exchanged": (
        "the index says what the bodies say",
        'update record."Observation" set patient = 1',
    ),
    "a deleted record still found": (
        "the index says what the bodies say",
        "update record.\"Observation\" set tok = array[1::int8] where id = 'v3'",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_each_damage_is_named(postgres_store: Any, superuser: Any, damage: str) -> None:
    await filled(postgres_store)
    name, change = DAMAGES[damage]
    before = superuser.transaction()
    await before.start()
    try:
        assert int((await superuser.execute(change)).split()[-1]) > 0, "nothing was damaged"
        told = [check async for check in verify_within(superuser)]
        assert name in [check.name for check in told if check.wrong], "\n".join(map(str, told))
    finally:
        await before.rollback()


async def verify_within(connection: Any) -> AsyncIterator[Check]:
    """As `verify`, inside the transaction that does the damage."""
    from commonweal.store import verify as module

    async for check in module.checks(
        connection, await module.rows(connection, KEY, registry()), registry(), SEAL
    ):
        yield check

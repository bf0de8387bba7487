"""The audit: durable before the answer, never changed by the application, and sealed so that tampering shows."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest

from commonweal.platform.ports import Audited
from commonweal.store import embedded
from commonweal.store.audit import Auditor, seal
from tests.store.conftest import at

KEY = b"the key of these seals"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    """The application's own connections."""
    async with asyncpg.create_pool(database, min_size=1, max_size=6) as pool:
        yield pool


@pytest.fixture
async def superuser(server: Any, database: str) -> AsyncIterator[Any]:
    """Somebody who may do anything to the database, but does not hold the key of the seals."""
    connection = await asyncpg.connect(at(server.dsn(embedded.ADMIN), urlsplit(database).path[1:]))
    yield connection
    await connection.close()


def row(work: str, **words: Any) -> Audited:
    return Audited(work, "Practitioner/p", "TREAT", words.pop("interaction", "read"), **words)


async def sealed(pool: Any, *works: str, **words: Any) -> None:
    """Rows one after the other, and all of them sealed."""
    auditor = Auditor(pool)
    for work in works:
        await auditor.write(row(work, **words))
    async with pool.acquire() as connection:
        while await seal.seal(connection, KEY):
            pass


async def damages(connection: Any, key: bytes = KEY) -> list[str]:
    async with connection.transaction():
        return [each.why async for each in seal.broken(connection, key)]


@pytest.mark.parametrize("table", ["audit", "seal", "movement"])
@pytest.mark.parametrize(
    "change", ["update beside.{} set at = 0", "delete from beside.{}", "truncate beside.{}"]
)
async def test_the_application_may_only_add(pool: Any, table: str, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(change.format(table))


@pytest.mark.parametrize("change", ["update beside.audit set at = 0", "delete from beside.audit"])
async def test_not_even_a_superuser_changes_it_unawares(superuser: Any, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only ever added"):
        await superuser.execute(change)


async def test_a_row_is_durable_when_the_call_returns(pool: Any, superuser: Any) -> None:
    await Auditor(pool).write(row("durable", patients=(1, 2), entities=("Patient/a", "Patient/b")))
    entry = await superuser.fetchrow("select patients, entities from beside.audit where work = 'durable'")
    assert tuple(entry) == ([1, 2], ["Patient/a", "Patient/b"])


async def test_concurrent_callers_share_commits(pool: Any) -> None:
    auditor = Auditor(pool)
    await asyncio.gather(*(auditor.write(row("shared")) for _ in range(200)))
    counts = await pool.fetchrow(
        "select count(*), count(distinct xid) from beside.audit where work = 'shared'"
    )
    assert counts[0] == 200
    assert counts[1] < 20


async def test_more_callers_than_room_wait_and_all_are_written(pool: Any) -> None:
    auditor = Auditor(pool, room=3)
    await asyncio.gather(*(auditor.write(row("narrow")) for _ in range(50)))
    assert await pool.fetchval("select count(*) from beside.audit where work = 'narrow'") == 50


async def test_a_hostile_row_is_cleaned_and_harms_no_other(pool: Any) -> None:
    auditor = Auditor(pool)
    hostile = row("hostile", query="name=\0'; drop table audit; --\ud800")
    await asyncio.gather(*(auditor.write(each) for each in (row("good"), hostile, row("good"))))
    assert await pool.fetchval("select count(*) from beside.audit where work = 'good'") == 2
    query = await pool.fetchval("select query from beside.audit where work = 'hostile'")
    assert query == "name=\ufffd'; drop table audit; --?"


async def test_what_could_not_be_written_is_told(database: str) -> None:
    pool = await asyncpg.create_pool(database, min_size=1, max_size=1)
    auditor = Auditor(pool)
    pool.terminate()
    with pytest.raises(asyncpg.InterfaceError):
        await auditor.write(row("lost"))


async def test_a_caller_that_gives_up_does_not_stop_the_others(pool: Any) -> None:
    auditor = Auditor(pool)
    calls = [asyncio.create_task(auditor.write(row("impatient"))) for _ in range(10)]
    await asyncio.sleep(0)
    calls[0].cancel()
    await asyncio.gather(*calls[1:])
    assert calls[0].cancelled()


async def test_an_untouched_audit_holds(pool: Any, superuser: Any) -> None:
    await sealed(pool, "a", "b", "c")
    await sealed(pool, "d")
    assert await damages(superuser) == []


TAMPERING = {
    "changed": "update beside.audit set because = 'something else' where work = 't2'",
    "removed": "delete from beside.audit where work = 't2'",
    "inserted": "insert into beside.audit (xid, seq, work, agent, purpose, interaction)"
    " select xid, seq + 100000, 'forged', agent, purpose, interaction from beside.audit where work = 't2'",
    "reordered": "update beside.audit a set seq = b.seq, xid = b.xid from beside.audit b"
    " where (a.work, b.work) in (('t1', 't3'), ('t3', 't1'))",
    "given to another": "update beside.audit set patients = array[5] where work = 't2'",
    "given a role": "update beside.audit set role = 'operator' where work = 't2'",
    "given an address": "update beside.audit set address = '192.0.2.1' where work = 't2'",
    "told of another app": "update beside.audit set client = session, session = client where work = 't3'",
    "moved in time": "update beside.audit set at = at + 1 where work = 't2'",
    "head rewritten": "update beside.seal set head = sha256(head) where (xid, seq) = (select xid, seq from"
    " beside.audit where work = 't3')",
    "seal removed": "delete from beside.seal where (xid, seq) = (select xid, seq from"
    " beside.audit where work = 't3')",
}


@pytest.mark.parametrize("way", TAMPERING)
async def test_tampering_shows(pool: Any, superuser: Any, way: str) -> None:
    if not await pool.fetchval("select exists (select from beside.audit where work = 't1')"):
        await sealed(pool, "t1", "t2")
        await sealed(pool, "t3", client="app")
        await sealed(pool, "after")
    undone = superuser.transaction()
    await undone.start()
    try:
        await superuser.execute("alter table beside.audit disable trigger all")
        await superuser.execute("alter table beside.audit drop constraint audit_pkey")
        await superuser.execute("alter table beside.seal disable trigger all")
        assert int((await superuser.execute(TAMPERING[way])).split()[-1]) > 0, "nothing was tampered with"
        assert len(await damages(superuser)) in (1, 2)
    finally:
        await undone.rollback()
    assert await damages(superuser) == []


async def test_without_the_key_no_chain_can_be_forged(pool: Any, superuser: Any) -> None:
    await sealed(pool, "keyed")
    assert await damages(superuser, b"a guess") != []


async def test_a_row_that_commits_late_is_still_sealed(pool: Any, superuser: Any) -> None:
    insert = "insert into beside.audit (work, agent, purpose, interaction) values ($1, 'a', 'TREAT', 'read')"
    await sealed(pool)
    async with pool.acquire() as late:
        opened = late.transaction()
        await opened.start()
        await late.execute(insert, "late")
        await Auditor(pool).write(row("early"))
        async with pool.acquire() as connection:
            assert await seal.seal(connection, KEY) == 0, "nothing above an open transaction is sealed"
            await opened.commit()
            assert await seal.seal(connection, KEY) == 2
    assert await damages(superuser) == []


async def test_sealers_at_once_make_one_chain(pool: Any, superuser: Any) -> None:
    await sealed(pool)
    await asyncio.gather(*(Auditor(pool).write(row("many")) for _ in range(20)))

    async def one() -> int:
        async with pool.acquire() as connection:
            return await seal.seal(connection, KEY)

    assert sum(await asyncio.gather(*(one() for _ in range(5)))) == 20
    assert await damages(superuser) == []


OLD = (
    "xid", "seq", "at", "outcome", "work", "agent", "purpose",
    "interaction", "type", "query", "because", "entities", "patients",
)  # fmt: skip


async def test_rows_from_before_a_column_came_keep_their_place(pool: Any, superuser: Any) -> None:
    """Sealed as it was done when rows had thirteen columns, in a chain that goes on with today's."""
    await sealed(pool)
    await Auditor(pool).write(row("old", patients=(3,), because="then"))
    last = await superuser.fetchrow("select head from beside.seal order by xid desc, seq desc limit 1")
    old = await superuser.fetchrow(f"select {', '.join(OLD)} from beside.audit where work = 'old'")
    text = msgspec.json.encode([old[name] for name in OLD])
    head = blake2b((last[0] if last else bytes(32)) + text, digest_size=32, key=KEY).digest()
    await superuser.execute(seal.ADD, old["xid"], old["seq"], 1, head)
    await sealed(pool, "new", role="clinician")
    assert await damages(superuser) == []


async def test_how_the_seal_stands_is_told(pool: Any, superuser: Any, postgres_store: Any) -> None:
    await sealed(pool, "standing")
    await seal.proven(superuser, await seal.sealed_upto(superuser), 2)
    await Auditor(pool).write(row("waits"))
    chain = await postgres_store.journal.chain()
    head = await superuser.fetchval("select head from beside.seal order by xid desc, seq desc limit 1")
    at = await superuser.fetchval("select at from beside.audit where work = 'standing'")
    assert (chain.head, chain.sealed, chain.unsealed) == (head.hex(), at, 1)
    assert (chain.verified_upto, chain.damages) == (at, 2)
    assert chain.verified is not None and chain.verified >= at

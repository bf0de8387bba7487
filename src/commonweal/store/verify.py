"""Is the record whole? What `commonweal check` runs: one line a check, with how much was looked at."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.search.parameters import Registry
from commonweal.store.access.agreement import faults as access_faults
from commonweal.store.agreement import index_faults
from commonweal.store.audit import seal
from commonweal.store.facts import Facts
from commonweal.store.tokens import Tokens
from commonweal.store.writes.rows import Rows

Connection = Any
CHAIN = "the audit is as it was sealed"
SHOWN = 20
"""Faults of one check that are named; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question put to the whole record: how much was examined, how much is wrong, and where."""

    name: str
    examined: int
    wrong: int = 0
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = "".join(f"\n    {fault}" for fault in self.faults)
        more = f"\n    and {self.wrong - len(self.faults)} more" if self.wrong > len(self.faults) else ""
        verdict = "WRONG" if self.wrong else "ok"
        return f"{verdict:5} {self.name}: {self.examined} examined, {self.wrong} wrong{told}{more}"


class Tally:
    """Counts while a check goes on."""

    def __init__(self, name: str) -> None:
        self._name, self.examined, self.wrong, self._faults = name, 0, 0, list[str]()

    def fault(self, text: str) -> None:
        self.wrong += 1
        if len(self._faults) < SHOWN:
            self._faults.append(text)

    def check(self) -> Check:
        return Check(self._name, self.examined, self.wrong, tuple(self._faults))


async def verify(
    connection: Connection,
    key: bytes,
    registry: Registry,
    *,
    seal_key: bytes = b"",
    every: int = 1,
    progress: Callable[[str], None] = lambda name: None,
) -> AsyncIterator[Check]:
    """Every check in turn, on one snapshot of the whole database, in bounded memory.

    `key` is that of the index hashes. `every` = n looks at the index of every n-th record only; all other
    checks are always whole.
    """
    known = await rows(connection, key, registry)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for check in checks(connection, known, registry, seal_key, every, progress):
            yield check


async def rows(connection: Connection, key: bytes, registry: Registry) -> Rows:
    """What makes rows of resources in this database."""
    return Rows(Tokens(key), await Facts.load(connection, registry))


async def checks(
    connection: Connection,
    known: Rows,
    registry: Registry,
    seal_key: bytes = b"",
    every: int = 1,
    progress: Callable[[str], None] = lambda name: None,
) -> AsyncIterator[Check]:
    """The checks inside a transaction that the caller holds."""
    yield await _chain(connection, seal_key)
    yield await _ledger(connection)
    yield await _outbox(connection)
    yield await _blobs(connection)
    types = [type for type in sorted(RESOURCE_TYPES) if await _is_used(connection, type)]
    progress("history")
    yield await _each("history has every version once", _history, connection, types)
    yield await _each("bodies say what their rows say", _bodies, connection, types)
    tally = Tally("the index says what the bodies say")
    for type in types:
        progress(type)
        async for examined, fault in index_faults(connection, known, registry, type, every):
            tally.examined += examined
            if fault:
                tally.fault(fault)
    yield tally.check()
    progress("access")
    tally = Tally("ties, rules and places are what the bodies say")
    async for examined, fault in access_faults(connection, known.tokens, registry.bases):
        tally.examined += examined
        if fault:
            tally.fault(fault)
    yield tally.check()


async def _is_used(connection: Connection, type: str) -> bool:
    text = f'select exists (select from record."{type}") or exists (select from history."{type}")'
    return bool(await connection.fetchval(text))


async def _chain(connection: Connection, seal_key: bytes) -> Check:
    tally = Tally(CHAIN)
    tally.examined = await connection.fetchval("select coalesce(sum(rows), 0)::int8 from beside.seal")
    async for broken in seal.broken(connection, seal_key):
        tally.fault(f"rows {broken.after} to {broken.upto}: {broken.why}")
    return tally.check()


# Each movement as the four entries of `Posting.entries`.
BALANCES = """
with entry (account, amount) as (
    select source, short - amount from beside.movement
    union all select 'discrepancy/' || source, -short from beside.movement where short > 0
    union all select target, amount - back from beside.movement
    union all select 'discrepancy/' || target, back from beside.movement where back > 0
), moved as (select account, sum(amount) as amount from entry where account <> 'outside' group by account)
select coalesce(m.account, b.account) as account, coalesce(m.amount, 0) as moved, coalesce(b.amount, 0) as held
from moved m full join beside.balance b on b.account = m.account
where coalesce(m.amount, 0) <> coalesce(b.amount, 0)"""


async def _ledger(connection: Connection) -> Check:
    tally = Tally("balances are the sums of their movements")
    tally.examined = await connection.fetchval("select count(*) from beside.balance")
    for row in await connection.fetch(BALANCES):
        tally.fault(f"{row['account']} holds {row['held']}, but its movements come to {row['moved']}")
    return tally.check()


# After a restore into another cluster, transaction ids begin anew: every position would lie in the future.
OUTBOX = """
select 'notice ' || xid || '-' || seq || ' lies in the future' as fault from beside.outbox
where xid >= pg_snapshot_xmax(pg_current_snapshot())
union all
select 'reader ' || name || ' stands in the future' from beside.reader
where xid >= pg_snapshot_xmax(pg_current_snapshot())
union all
select 'reader ' || reader || ' waits for ' || xid || '-' || seq || ', which is gone' from beside.waiting w
where not exists (select from beside.outbox o where o.xid = w.xid and o.seq = w.seq)"""


async def _outbox(connection: Connection) -> Check:
    tally = Tally("notices and their readers stand where they should")
    tally.examined = await connection.fetchval(
        "select (select count(*) from beside.outbox) + (select count(*) from beside.waiting)"
    )
    for row in await connection.fetch(OUTBOX):
        tally.fault(row["fault"])
    return tally.check()


async def _blobs(connection: Connection) -> Check:
    tally = Tally("blobs are what their names say")
    for blob in await connection.fetch("select hash, key, size from beside.blob"):
        digest, size = sha256(), 0
        text = "select data from beside.chunk where key = $1 order by part"
        async for row in connection.cursor(text, blob["key"], prefetch=4):
            digest.update(row["data"])
            size += len(row["data"])
        tally.examined += 1
        if (digest.digest(), size) != (blob["hash"], blob["size"]):
            tally.fault(f"blob {blob['hash'].hex()} has other content")
    return tally.check()


async def _each(name: str, check: Callable[..., Any], connection: Connection, types: list[str]) -> Check:
    tally = Tally(name)
    for type in types:
        await check(connection, type, tally)
    return tally.check()


async def _history(connection: Connection, type: str, tally: Tally) -> None:
    """Superseded versions 1 … n - 1 below every current version n, and none without a current one."""
    tally.examined += await connection.fetchval(f'select count(*) from history."{type}"')
    gaps = f"""
        select coalesce(r.id, h.id) as id, r.version, h.count, h.first, h.last from record."{type}" r
        full join (select id, count(*), min(version) as first, max(version) as last
                   from history."{type}" group by id) h on h.id = r.id
        where r.id is null or coalesce(h.count, 0) <> r.version - 1
           or h.first <> 1 or h.last <> r.version - 1"""
    for row in await connection.fetch(gaps):
        kept = f"{row['count'] or 0} before it ({row['first']} to {row['last']})"
        tally.fault(f"{type}/{row['id']} is at version {row['version']} with {kept}")


async def _bodies(connection: Connection, type: str, tally: Tally) -> None:
    """Type, id, version and time in the text agree with the columns; what is deleted has no text."""
    for schema in ("record", "history"):
        table = f'{schema}."{type}"'
        tally.examined += await connection.fetchval(f"select count(*) from {table}")
        differing = f"""
            select id, version from {table}
            where case when deleted then body <> ''
                else not starts_with(body, record.body('{type}', id, version, record.stamp(updated), '')) end"""
        for row in await connection.fetch(differing):
            tally.fault(f"{schema} {type}/{row['id']} version {row['version']}")

"""Leases: one process at a time does one thing; the token grows with each holder, so a late one fails."""

from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Lease

Connection = Any
NOW = "(extract(epoch from clock_timestamp()) * 1000000)::int8"

# Leases keep the database's real clock even where `work.now` runs faster.
TAKE = f"""
insert into beside.lease as l (name, holder, token, until) values ($1, $2, 1, {NOW} + $3)
on conflict (name) do update set
    token = l.token + (case when l.holder = excluded.holder and l.until > {NOW} then 0 else 1 end),
    holder = excluded.holder,
    until = excluded.until
where l.holder = excluded.holder or l.until <= {NOW}
returning name, holder, token, until"""
HELD = f"select from beside.lease where name = $1 and token = $2 and until > {NOW} for share"


async def take(connection: Connection, name: str, holder: str, seconds: float) -> Lease | None:
    """Take or prolong; None while another holds it. A holder that let it run out gets a new token."""
    row = await connection.fetchrow(TAKE, name, holder, int(seconds * 1_000_000))
    return Lease(row["name"], row["holder"], row["token"], row["until"]) if row else None


async def hold(connection: Connection, lease: Lease) -> None:
    """Keep the lease from changing hands until this transaction ends; Problem 409 when it already has."""
    if await connection.fetchrow(HELD, lease.name, lease.token) is None:
        raise Problem.conflict(f"The lease '{lease.name}' is no longer held by {lease.holder}.")

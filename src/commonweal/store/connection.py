"""Connections to PostgreSQL in pools: prepared routes, searches planned for their values, and the audit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from commonweal.fhir.outcome import Problem
from commonweal.store.migrate import APPLICATION

Result = TypeVar("Result")

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # what asyncpg says when the server goes between two of its messages
    OSError,
)
"""The server is away: being restarted, killed, out of reach."""
AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Another transaction was in the way; the same again will do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of the pools and seconds a statement may take before it is called too costly."""

    work_connections: int = 12
    search_connections: int = 6
    work_seconds: float = 120
    search_seconds: float = 10
    wait_seconds: float = 30


class Pools:
    """`work` plans each statement once and keeps the plan: reads by id, writes, searches about one patient.
    `search` plans for the values at hand: a rare and a common code want different indexes.
    `audit` is one connection: works that hold all others wait for their rows to be written."""

    def __init__(self, work: Any, search: Any, audit: Any, limits: Limits) -> None:
        self.work = work
        self.search = search
        self.audit = audit
        self.limits = limits

    async def close(self) -> None:
        """Wait for what is under way and close."""
        await asyncio.gather(self.work.close(), self.search.close(), self.audit.close())

    def terminate(self) -> None:
        """Close at once."""
        for pool in (self.work, self.search, self.audit):
            pool.terminate()


async def connect(dsn: str, limits: Limits | None = None) -> Pools:
    """Open the pools; Problem 503 when there is no server."""
    limits = limits or Limits()
    with translated():
        role = await _role(dsn)
        work = await _pool(dsn, role, "force_generic_plan", limits.work_connections, limits.work_seconds)
        search = await _pool(dsn, role, "force_custom_plan", limits.search_connections, limits.search_seconds)
        audit = await _pool(dsn, role, "force_generic_plan", 1, limits.work_seconds)
    return Pools(work, search, audit, limits)


async def _role(dsn: str) -> str | None:
    """The application's role, where it exists and may be taken on."""
    connection = await asyncpg.connect(dsn)
    try:
        there = await connection.fetchval(
            "select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = $1", APPLICATION
        )
    finally:
        await connection.close()
    return APPLICATION if there else None


async def _leave_as_it_is(_: Any) -> None:
    """Nobody changes a session's state, so giving a connection back costs no round trip."""


async def _pool(dsn: str, role: str | None, plans: str, size: int, seconds: float) -> Any:
    settings = {
        "application_name": "commonweal",
        "plan_cache_mode": plans,
        "statement_timeout": str(int(seconds * 1000)),
        "jit": "off",
        "timezone": "UTC",
    }
    if role:
        settings["role"] = role
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        reset=_leave_as_it_is,
        server_settings=settings,
        statement_cache_size=1000,
        max_queries=10_000_000,
        max_inactive_connection_lifetime=0,
    )


class Again(Problem):
    """Another transaction was in the way."""

    again = True


class translated:
    """Turns what PostgreSQL says into a Problem."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            problem = problem_of(error)
            if problem is not None:
                raise problem from error


def problem_of(error: BaseException) -> Problem | None:
    """The Problem an error of the database stands for; None for what is a fault of ours."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return Problem.too_costly("it took too long; ask for less at once")
    if isinstance(error, (asyncpg.UniqueViolationError, *AGAIN)):
        return Again(409, Problem.conflict("Another write was in the way; try again.").issues)
    if isinstance(error, GONE) or (isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)):
        return Problem.of("cw-unavailable", why="the database does not answer; try again in a moment")
    return None


@asynccontextmanager
async def borrowed(pool: Any, limits: Limits) -> AsyncIterator[asyncpg.Connection]:
    """A connection for a while; errors of the database leave as Problems."""
    with translated():
        # a clock for the wait is only wound up where there will be a wait
        patience = None if pool.get_idle_size() else limits.wait_seconds
        async with pool.acquire(timeout=patience) as connection:
            yield connection


async def insisting(attempt: Callable[[], Awaitable[Result]], tries: int = 5) -> Result:
    """Run something that is one transaction again when another one was in its way."""
    for number in range(tries - 1):
        try:
            return await attempt()
        except Again:
            await asyncio.sleep(0.002 * 2**number)
    return await attempt()

"""Bring a database's tables up to this version: numbered files of `migrations/`, forward only, each once."""

import hashlib
import re
from collections.abc import Iterator
from importlib import resources

import asyncpg

from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem

APPLICATION = "commonweal"
"""The role the application works as: it may add to audit and history, never change them."""
OWNER = "commonweal_owner"
"""The role that owns the tables; migrations run as it."""

_EACH = re.compile(r"^--- each type\n(.*?)^--- end\n", re.MULTILINE | re.DOTALL)
_LOCK = 0x636F6D6D6F6E  # "common": no two processes migrate at once

_ROLES = f"""
do $$
declare wanted text;
begin
    foreach wanted in array array['{OWNER}', '{APPLICATION}'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
            execute format('grant %I to current_user', wanted);
        end if;
    end loop;
exception when insufficient_privilege or duplicate_object or unique_violation then
    raise warning 'the roles could not be made; this user does all the work then';
end
$$
"""
_GRANTS = f"""
do $$
begin
    execute format('grant create on database %I to {OWNER}', current_database());
exception when insufficient_privilege or undefined_object then null;
end
$$
"""
_APPLIED = """
create schema if not exists migration;
create table if not exists migration.applied (
    number int4 primary key,
    name   text not null,
    hash   text not null,
    at     timestamptz not null default now()
)
"""


def migrations() -> Iterator[tuple[int, str, str]]:
    """(number, name, text) in order, per-type parts written out."""
    folder = resources.files("commonweal.store") / "migrations"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield int(file.name[:4]), file.name.removesuffix(".sql"), _written_out(file.read_text("utf-8"))


async def migrate(connection: asyncpg.Connection) -> list[str]:
    """Apply what is missing and name it; what was applied before must not have changed since."""
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(_ROLES)
        await connection.execute(_GRANTS)
        if await connection.fetchval(
            "select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = $1", OWNER
        ):
            await connection.execute(f"set role {OWNER}")
        return await _apply(connection)
    finally:
        await connection.execute("reset role")
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def _apply(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(_APPLIED)
    before = {row["number"]: row["hash"] for row in await connection.fetch("select * from migration.applied")}
    done = []
    for number, name, text in migrations():
        mark = hashlib.sha256(text.encode()).hexdigest()
        if before.get(number, mark) != mark:
            raise Problem.of(
                "cw-exception", why=f"migration {name} is not the one this database was made with"
            )
        if number in before:
            continue
        async with connection.transaction():
            await connection.execute(text)
            await connection.execute(
                "insert into migration.applied (number, name, hash) values ($1, $2, $3)", number, name, mark
            )
        done.append(name)
    unknown = set(before) - {number for number, _, _ in migrations()}
    if unknown:
        raise Problem.of("cw-exception", why=f"this database was made by a newer version ({max(unknown)})")
    return done


def _written_out(text: str) -> str:
    def repeat(match: re.Match[str]) -> str:
        return "\n".join(match[1].replace("{type}", type) for type in sorted(RESOURCE_TYPES))

    return _EACH.sub(repeat, text)

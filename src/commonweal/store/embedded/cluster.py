"""Making the database: initdb, three roles with generated passwords, one database. All of it, or nothing.

commonweal_admin   superuser, for operators
commonweal_owner   owns the database and whatever migrations make in it
commonweal         the application: owns nothing and may only what migrations grant it
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from typing import Any

from commonweal.store.embedded.binaries import Binaries, Need
from commonweal.store.embedded.directory import Directory
from commonweal.store.embedded.failure import DatabaseUnavailable

DATABASE = "commonweal"
ADMIN = "commonweal_admin"
OWNER = "commonweal_owner"
APPLICATION = "commonweal"
ROLES = (ADMIN, OWNER, APPLICATION)
ACCESS = f"""\
# Written by Commonweal at every start. Everyone shows a password; nothing listens on the network.
local {DATABASE} {OWNER},{APPLICATION} scram-sha-256
local all {ADMIN} scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""


def need(directory: Directory) -> Need | None:
    """What the database that is there asks of the binaries; None where there is none yet."""
    if not directory.postgres.exists():
        return None
    made = _description(directory)
    return Need(made["major"], made["lz4"])


def passwords(directory: Directory) -> Mapping[str, str]:
    """The passwords of the roles."""
    found: dict[str, str] = _description(directory)["passwords"]
    return found


def _description(directory: Directory) -> dict[str, Any]:
    made = directory.read(directory.made)
    if made is None:
        raise DatabaseUnavailable(
            f"{directory.made} is missing: it holds the passwords of the database beside it; "
            "bring it back from a backup."
        )
    return made


def make(directory: Directory, binaries: Binaries, lock: int) -> None:
    """Make it under another name first, so that a half-made database is never mistaken for a whole one.

    The programs inherit the lock: should we be killed, the next starter waits until they have ended.
    """
    unfinished = directory.path / "postgres.new"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    directory.give(unfinished)
    chosen = {role: secrets.token_urlsafe(24) for role in ROLES}
    description = {"major": binaries.major, "lz4": binaries.lz4, "database": DATABASE, "passwords": chosen}
    directory.write(directory.made, json.dumps(description, indent=1) + "\n")
    _initdb(directory, binaries, str(unfinished), lock)
    _make_roles(directory, binaries, str(unfinished), chosen, lock)
    unfinished.rename(directory.postgres)
    _settle(directory)


def _initdb(directory: Directory, binaries: Binaries, target: str, lock: int) -> None:
    """Text in code point order under C rules of UTF-8; plain C where the system has no such locale."""
    common = (
        binaries.bin / "initdb", "--pgdata", target, "--username", ADMIN, "--encoding", "UTF8",
        "--data-checksums", "--auth-local", "peer", "--auth-host", "reject", "--no-instructions",
    )  # fmt: skip
    builtin = ("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C")
    # Before 17 only the collation named C compares bytes directly; its order is that of C.UTF-8.
    locales = (
        [builtin] if binaries.major >= 17 else [("--lc-ctype", "C.UTF-8", "--locale", "C"), ("--locale", "C")]
    )
    for locale in locales:
        done = directory.account.run(*common, *locale, pass_fds=[lock])
        if done.returncode == 0:
            return
    raise DatabaseUnavailable(f"The database could not be made: {_last_line(done.stderr)}")


def _make_roles(
    directory: Directory, binaries: Binaries, target: str, chosen: Mapping[str, str], lock: int
) -> None:
    """In single-user mode, by standard input: no password stands in an argument or reaches a log."""
    statements = [
        f"ALTER ROLE {ADMIN} PASSWORD '{chosen[ADMIN]}'",
        f"CREATE ROLE {OWNER} LOGIN PASSWORD '{chosen[OWNER]}'",
        f"CREATE ROLE {APPLICATION} LOGIN PASSWORD '{chosen[APPLICATION]}'",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APPLICATION}",
    ]
    done = directory.account.run(
        binaries.bin / "postgres",
        "--single",
        "-D",
        target,
        "postgres",
        input="".join(f"{each}\n" for each in statements),
        pass_fds=[lock],
    )
    complaints = [line for line in done.stderr.splitlines() if "ERROR:" in line or "FATAL:" in line]
    if done.returncode or complaints:
        raise DatabaseUnavailable(
            f"The roles could not be made: {_last_line(' '.join(complaints) or done.stderr)}"
        )


def _settle(directory: Directory) -> None:
    handle = os.open(directory.path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it ended without a word"

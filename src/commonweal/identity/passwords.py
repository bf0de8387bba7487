"""Passwords: kept as Argon2id (RFC 9106), chosen by NIST SP 800-63B-4 3.1.1: long, not common, nothing else asked."""

import secrets
import unicodedata
from functools import lru_cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from commonweal.access.decision import Decision, decide
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.identity.ids import ALPHABET
from commonweal.identity.parameters import Argon2

DIFFERENT = 5
"""A password of fewer different characters is guessed in no time."""
ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)


async def hashed(identity: Identity, password: str) -> str:
    """As it is kept. It takes a tenth of a second, in a thread."""
    kept: str = await identity.aside(_hasher(identity.parameters.argon2).hash, prepared(password))
    return kept


async def fits(identity: Identity, kept: str, password: str) -> bool:
    """Is it the password? Without any kept ("") the answer is no, and takes as long."""
    fitting: bool = await identity.aside(_fits, identity.parameters.argon2, kept, prepared(password))
    return fitting


def is_outdated(identity: Identity, kept: str) -> bool:
    """Was it hashed with other parameters than those of today?"""
    return _hasher(identity.parameters.argon2).check_needs_rehash(kept)


def may_be(identity: Identity, password: str, *own: str) -> Decision:
    """May this be a password? `own`: the login and name of whose it is."""
    shortest, longest = identity.parameters.password_shortest, identity.parameters.password_longest
    plain = _plain(password)
    return decide(
        (len(password) >= shortest, f"it needs at least {shortest} characters"),
        (len(password) <= longest, f"it may have at most {longest} characters"),
        (len(set(plain)) >= DIFFERENT, "it repeats too few characters"),
        (not _is_common(plain), "it is one of those that everybody tries first"),
        (
            not any(len(word) > 2 and word in plain for word in map(_plain, own)),
            "it contains the login or the name",
        ),
    )


def check(identity: Identity, password: str, *own: str) -> None:
    """Problem 422 with all reasons when it may not be a password."""
    may = may_be(identity, password, *own)
    if not may:
        raise Problem.of("cw-business-rule", why=f"Choose another password: {'; '.join(may.reasons)}.")


def made() -> str:
    """A password to show once: a hundred random bits in groups of five."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(20))
    return "-".join(letters[at : at + 5] for at in range(0, 20, 5))


def prepared(password: str) -> bytes:
    """One form of each letter, however a keyboard makes it (NIST SP 800-63B-4 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@lru_cache
def _hasher(argon2: Argon2) -> PasswordHasher:
    return PasswordHasher(argon2.passes, argon2.memory_kib, argon2.lanes)


@lru_cache
def _decoy(argon2: Argon2) -> str:
    """What the passwords of unknown logins are compared with."""
    return _hasher(argon2).hash(secrets.token_bytes(16))


def _fits(argon2: Argon2, kept: str, password: bytes) -> bool:
    decoy = _decoy(argon2)
    try:
        return _hasher(argon2).verify(kept or decoy, password) and bool(kept)
    except (Argon2Error, InvalidHashError):
        return False


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_common(plain: str) -> bool:
    """One of the list, a row of keys, or the same few characters again and again."""
    halves = (plain[:size] * (len(plain) // size + 1) for size in range(1, 7))
    rows = (row + row for row in (*ROWS, *(row[::-1] for row in ROWS)))
    return (
        plain in commonest()
        or plain.rstrip("0123456789!.?") in commonest()
        or any(plain in row for row in rows)
        or any(half.startswith(plain) for half in halves if len(plain) > 6)
    )


@lru_cache
def commonest() -> frozenset[str]:
    """The list beside this file, in the form in which passwords are compared."""
    text = (resources.files("commonweal.identity") / "commonest.txt").read_text("utf-8")
    return frozenset(_plain(line) for line in text.splitlines() if line and not line.startswith("#"))

"""Codes of an authenticator app (TOTP, RFC 6238), each accepted once, and the codes for when it is lost."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import msgspec
import pyotp
import segno

from commonweal.fhir.outcome import Problem
from commonweal.identity.account import ACCOUNTS, Account, Totp
from commonweal.identity.house import MINUTE, SECOND, Identity
from commonweal.identity.ids import ALPHABET
from commonweal.identity.kept import Kept, Secret

STEP = 30
"""Seconds one code is shown."""
WINDOW = 1
"""Steps before and after the present one whose codes are taken (RFC 6238 section 5.2)."""
ISSUER = "Commonweal"
SLOT = 10 * MINUTE


class Pending(Secret, frozen=True):
    """A secret that was shown and from which no code has come yet."""

    secret: str


PENDING = Kept("enrolment", Pending)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given: to scan (`svg`), to follow (`uri`) or to type (`secret`)."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    svg: str = field(repr=False)


async def enrol(identity: Identity, account: Account) -> Enrolment:
    """A new secret, or for ten minutes the same one again; it counts once a code of it was seen (`confirm`)."""
    pending = await PENDING.get(identity.drawers, account.id)
    if pending is None:
        pending = Pending(pyotp.random_base32())
        until = identity.now() + SLOT
        await PENDING.put(identity.drawers, account.id, pending, owner=account.id, until=until)
    uri = pyotp.TOTP(pending.secret).provisioning_uri(name=account.login, issuer_name=ISSUER)
    return Enrolment(pending.secret, uri, _drawn(uri))


async def confirm(identity: Identity, account: str, code: str) -> tuple[str, ...]:
    """The app is there: it is the second factor from now on. The recovery codes, shown this once; Problem 401 for a
    wrong code."""
    pending = await PENDING.get(identity.drawers, account)
    step = step_of(pending.secret, code, identity.now() // SECOND) if pending else None
    if pending is None or step is None:
        raise Problem.of("cw-not-proved", why="The code is not right; wait for the next one and try again.")
    totp, codes = Totp(pending.secret, step), made(identity.parameters.recovery_codes)
    kept = tuple(_kept(identity, account, each) for each in codes)
    await ACCOUNTS.change(
        identity.drawers, account, lambda now: msgspec.structs.replace(now, totp=totp, recovery=kept)
    )
    await identity.drawers.remove(PENDING.kind, account)
    return codes


async def prove(identity: Identity, account: str, code: str) -> bool:
    """Is it a code of now, and the first time it is shown?"""

    def used(now: Account) -> Account:
        step = step_of(now.totp.secret, code, identity.now() // SECOND) if now.totp else None
        if now.totp is None or step is None or step <= now.totp.last:
            raise _Wrong
        return msgspec.structs.replace(now, totp=msgspec.structs.replace(now.totp, last=step))

    return await _spent(identity, account, used)


async def recover(identity: Identity, account: str, code: str) -> bool:
    """Is it one of the recovery codes? It is spent by that."""
    kept = _kept(identity, account, code)

    def used(now: Account) -> Account:
        if kept not in now.recovery:
            raise _Wrong
        left = tuple(each for each in now.recovery if each != kept)
        return msgspec.structs.replace(now, recovery=left)

    return await _spent(identity, account, used)


async def renew_recovery(identity: Identity, account: str) -> tuple[str, ...]:
    """New recovery codes, shown this once; the old ones are worth nothing any more."""
    codes = made(identity.parameters.recovery_codes)
    kept = tuple(_kept(identity, account, each) for each in codes)
    await ACCOUNTS.change(identity.drawers, account, lambda now: msgspec.structs.replace(now, recovery=kept))
    return codes


def step_of(secret: str, code: str, seconds: int) -> int | None:
    """The time step whose code this is, of those that are taken at this time; all are compared."""
    totp, present, given = pyotp.TOTP(secret), seconds // STEP, "".join(code.split())
    fitting = [
        step
        for step in range(present - WINDOW, present + WINDOW + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode("utf-8", "replace"))
    ]
    return fitting[-1] if fitting else None


def made(many: int) -> tuple[str, ...]:
    """Recovery codes of fifty random bits."""
    letters = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(many)]
    return tuple(f"{each[:5]}-{each[5:]}" for each in letters)


class _Wrong(Exception):
    """It proves nothing."""


async def _spent(identity: Identity, account: str, used: Callable[[Account], Account]) -> bool:
    try:
        await ACCOUNTS.change(identity.drawers, account, used)
    except _Wrong:
        return False
    return True


def _kept(identity: Identity, account: str, code: str) -> str:
    plain = "".join(filter(str.isalnum, code.lower()))
    return identity.hashed("recovery", f"{account} {plain}")


def _drawn(uri: str) -> str:
    drawing = BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawing, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, light="#fff"
    )
    return drawing.getvalue().decode()

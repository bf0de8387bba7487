"""Staff sign in, in steps that a page can walk: each takes the value of the one before and gives a new one.

`begin` (password); then `second` or, the first time, `enrol` and `enrolled`; then `renew`, where somebody else gave the
password. A passkey alone is enough: `ask_passkey`, `by_passkey`. Residents: residents.py.
"""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, limits, onetime, passkeys, passwords, sessions
from commonweal.identity.account import ACCOUNTS, STAFF, Account
from commonweal.identity.finishing import ITSELF, From, Signed, failed, finished
from commonweal.identity.house import SECOND, Identity, fresh
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.onetime import Enrolment

__all__ = ["From", "Signed", "Step"]

Need = Literal["second", "enrol", "renew"]
WRONG = "The login or the password is not right."
WRONG_SECOND = "This does not prove who you are; try again, or another way."
TOO_OLD = "This sign-in is too old; begin again."


class Reached(Secret, frozen=True):
    """How far a sign-in has come: which account, what it needs next and how it was proved so far. `password` is a
    hash of the hash that was good then: a sign-in that is under way ends when the password is changed or reset."""

    account: str
    need: Need
    ways: tuple[str, ...]
    password: str


STEPS = Kept("step", Reached)
"""By keyed hash of the step's value."""
TRIES = "step-tries"


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next. `value` belongs into a cookie or a hidden field; `ways`: the second factors this account has
    ("totp", "passkey", "recovery")."""

    value: str = field(repr=False)
    need: Need
    ways: tuple[str, ...] = ()


async def begin(identity: Identity, login: str, password: str, at: From) -> Step:
    """Problem 401 in the same words and time for an unknown login, a wrong password and a disabled account; 429 while
    a delay lasts, which unknown logins have too."""
    await limits.spend(identity, identity.parameters.sign_ins_address, limits.network(at.address))
    await limits.attempt(identity, accounts.login_of(login))
    account = await accounts.by_login(identity, login)
    fits = await passwords.fits(identity, account.password if account else "", password)
    if account is None or not fits or account.disabled or account.kind != STAFF:
        await failed(identity, account, at, "password")
        raise Problem.of("cw-not-proved", why=WRONG)
    if passwords.is_outdated(identity, account.password):
        account = await _rehashed(identity, account, password)
    return await _second(identity, account, ("password",))


async def step(identity: Identity, value: str) -> Step:
    """Where a sign-in is, for a page that is opened again; Problem 401 when it is too old."""
    account, reached = await _at(identity, value)
    return Step(value, reached.need, _ways(account))


async def ask_passkey(identity: Identity, step: str = "") -> tuple[str, str]:
    """Handle and options for a passkey: one of the step's account, or anybody's when there is no step."""
    if not step:
        return await passkeys.begin_assertion(identity)
    account, _ = await _at(identity, step, "second")
    return await passkeys.begin_assertion(identity, account)


async def by_passkey(identity: Identity, handle: str, assertion: str, at: From) -> Step | Signed:
    """Both factors at once: the device, and the finger or PIN that opened it."""
    await limits.spend(identity, identity.parameters.sign_ins_address, limits.network(at.address))
    account = await passkeys.prove(identity, handle, assertion)
    if account is None or account.disabled or account.kind != STAFF:
        await failed(identity, account, at, "passkey")
        raise Problem.of("cw-not-proved", why=WRONG_SECOND)
    return await _proved(identity, account, ("passkey",), at)


async def arrived(identity: Identity, account: Account, factors: int, at: From) -> Step | Signed:
    """Somebody whom a provider of OpenID Connect knows, by one factor or two (external/oidc.py)."""
    if account.disabled or account.kind != STAFF:
        await failed(identity, account, at, "provider")
        raise Problem.of("cw-not-proved", why=WRONG_SECOND)
    if factors >= 2:
        return await _proved(identity, account, ("provider",), at)
    return await _second(identity, account, ("provider",))


async def second(
    identity: Identity,
    step: str,
    at: From,
    *,
    code: str = "",
    recovery: str = "",
    handle: str = "",
    assertion: str = "",
) -> Step | Signed:
    """One of: a code of the app, a recovery code, a passkey's answer. Problem 401 when it proves nothing; after five
    tries one begins again with the password."""
    account, reached = await _at(identity, step, "second", tries=True)
    if assertion:
        way, proved = "passkey", await passkeys.prove(identity, handle, assertion, account.id) is not None
    elif recovery:
        way, proved = "recovery", await onetime.recover(identity, account.id, recovery)
    else:
        way, proved = "totp", await onetime.prove(identity, account.id, code)
    if not proved:
        await failed(identity, account, at, way)
        raise Problem.of("cw-not-proved", why=WRONG_SECOND)
    await _leave(identity, step)
    return await _proved(identity, account, (*reached.ways, way), at)


async def enrol(identity: Identity, step: str) -> Enrolment:
    """The first sign-in: what an authenticator app is given."""
    account, _ = await _at(identity, step, "enrol")
    return await onetime.enrol(identity, account)


async def enrol_passkey(identity: Identity, step: str) -> tuple[str, str]:
    """The first sign-in with a passkey instead: handle and options."""
    account, _ = await _at(identity, step, "enrol")
    return await passkeys.begin_registration(identity, account)


async def enrolled(
    identity: Identity,
    step: str,
    at: From,
    *,
    code: str = "",
    handle: str = "",
    credential: str = "",
    name: str = "",
) -> tuple[Step | Signed, tuple[str, ...]]:
    """The app's first code, or the passkey that was made. What comes next, and the recovery codes, shown this once."""
    account, reached = await _at(identity, step, "enrol", tries=True)
    if account.has_second:
        raise Problem.of("cw-not-proved", why=TOO_OLD)
    if credential:
        way = "passkey"
        await passkeys.register(identity, account.id, handle, credential, name)
        recovery = await onetime.renew_recovery(identity, account.id)
    else:
        way, recovery = "totp", await onetime.confirm(identity, account.id, code)
    await _leave(identity, step)
    await identity.note(ITSELF, f"{way}-add", account.party, address=at.address)
    return await _proved(identity, account, (*reached.ways, way), at), recovery


async def renew(identity: Identity, step: str, password: str, at: From) -> Signed:
    """Choose a password of one's own; Problem 422 with the reasons when it may not be one."""
    account, reached = await _at(identity, step, "renew")
    passwords.check(identity, password, account.login, account.name)
    if await passwords.fits(identity, account.password, password):
        raise Problem.of("cw-business-rule", why="Choose another password: it is the one you were given.")
    hashed = await passwords.hashed(identity, password)
    await _leave(identity, step)
    account = await ACCOUNTS.change(
        identity.drawers, account.id, lambda now: msgspec.structs.replace(now, password=hashed, renew=False)
    )
    await sessions.end_all(identity, account.id)
    await identity.note(ITSELF, "password-change", account.party, address=at.address)
    return await finished(identity, account, reached.ways, at)


async def _second(identity: Identity, account: Account, ways: tuple[str, ...]) -> Step:
    return await _step(identity, account, "second" if account.has_second else "enrol", ways)


async def _proved(identity: Identity, account: Account, ways: tuple[str, ...], at: From) -> Step | Signed:
    """Both factors are there; a password that somebody else gave is changed before anything else."""
    if account.renew and "password" in ways:
        return await _step(identity, account, "renew", ways)
    return await finished(identity, account, ways, at)


async def _step(identity: Identity, account: Account, need: Need, ways: tuple[str, ...]) -> Step:
    value, until = fresh(), identity.now() + identity.parameters.step_seconds * SECOND
    reached = Reached(account.id, need, ways, _mark(identity, account))
    await STEPS.put(
        identity.drawers, _place(identity, value), reached, owner=account.id, until=until, version=0
    )
    return Step(value, need, _ways(account))


async def _at(
    identity: Identity, value: str, need: Need | None = None, *, tries: bool = False
) -> tuple[Account, Reached]:
    """Whose sign-in this is; Problem 401 when it is too old, elsewhere, or was tried five times. A try is counted
    before anything is compared."""
    place = _place(identity, value)
    reached = await STEPS.get(identity.drawers, place)
    if reached is None or need not in (None, reached.need):
        raise Problem.of("cw-not-proved", why=TOO_OLD)
    if tries:
        until = identity.now() + 2 * identity.parameters.step_seconds * SECOND
        if await identity.drawers.count(TRIES, place, until) > identity.parameters.step_tries:
            raise Problem.of("cw-not-proved", why=TOO_OLD)
    account = await ACCOUNTS.get(identity.drawers, reached.account)
    if account is None or account.disabled or _mark(identity, account) != reached.password:
        raise Problem.of("cw-not-proved", why=TOO_OLD)
    return account, reached


async def _leave(identity: Identity, value: str) -> None:
    """Go on from a step; of several who try, one does."""
    if await STEPS.take(identity.drawers, _place(identity, value)) is None:
        raise Problem.of("cw-not-proved", why=TOO_OLD)


async def _rehashed(identity: Identity, account: Account, password: str) -> Account:
    """The parameters have changed since this password was hashed."""
    hashed, old = await passwords.hashed(identity, password), account.password

    def with_it(now: Account) -> Account:
        return msgspec.structs.replace(now, password=hashed) if now.password == old else now

    return await ACCOUNTS.change(identity.drawers, account.id, with_it)


def _mark(identity: Identity, account: Account) -> str:
    return identity.hashed("password", account.password)


def _ways(account: Account) -> tuple[str, ...]:
    has = (("totp", account.totp), ("passkey", account.passkeys), ("recovery", account.recovery))
    return tuple(name for name, there in has if there)


def _place(identity: Identity, value: str) -> str:
    return identity.hashed("step", value)

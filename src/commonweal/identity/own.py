"""What people change of their own sign-in, being signed in: password, second factors, recovery codes.

The password is asked again for each, so that a session left open is not enough to take an account over.
"""

import msgspec

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, limits, onetime, passkeys, passwords, sessions
from commonweal.identity.account import ACCOUNTS, Account, Passkey
from commonweal.identity.house import Identity
from commonweal.identity.onetime import Enrolment
from commonweal.identity.sessions import Session


async def proved_again(identity: Identity, session: Session, password: str) -> Account:
    """The account of this session, if that is its password; Problem 401 else, 429 after too many tries."""
    account = await accounts.get(identity, session.account)
    await limits.attempt(identity, f"again {account.id}")
    if not await passwords.fits(identity, account.password, password):
        raise Problem.of("cw-not-proved", why="The password is not right.")
    await limits.succeeded(identity, f"again {account.id}")
    return account


async def change_password(
    identity: Identity, by: Agent, session: Session, old: str, new: str, cookie: str
) -> None:
    """Problem 422 with the reasons when it may not be one. All sessions but the one of this cookie end."""
    account = await proved_again(identity, session, old)
    passwords.check(identity, new, account.login, account.name)
    hashed = await passwords.hashed(identity, new)
    await ACCOUNTS.change(
        identity.drawers, account.id, lambda now: msgspec.structs.replace(now, password=hashed, renew=False)
    )
    await sessions.end_all(identity, account.id, but=cookie)
    await identity.note(by, "password-change", account.party)


async def enrol(identity: Identity, session: Session, password: str) -> Enrolment:
    """Another authenticator app in place of the one before; `confirm` it with its first code."""
    return await onetime.enrol(identity, await proved_again(identity, session, password))


async def confirm(identity: Identity, by: Agent, session: Session, code: str) -> tuple[str, ...]:
    """The new app is there; new recovery codes, shown this once."""
    await limits.attempt(identity, f"again {session.account}")
    recovery = await onetime.confirm(identity, session.account, code)
    await limits.succeeded(identity, f"again {session.account}")
    await identity.note(by, "totp-add", by.id)
    return recovery


async def begin_passkey(identity: Identity, session: Session, password: str) -> tuple[str, str]:
    """Handle and options for one more passkey."""
    return await passkeys.begin_registration(identity, await proved_again(identity, session, password))


async def add_passkey(
    identity: Identity, by: Agent, session: Session, handle: str, credential: str, name: str
) -> Passkey:
    """The passkey that the device made; `name` is for the list."""
    made = await passkeys.register(identity, session.account, handle, credential, name)
    await identity.note(by, "passkey-add", by.id)
    return made


async def remove_passkey(identity: Identity, by: Agent, session: Session, password: str, id: str) -> None:
    """Problem 409 for the last second factor."""
    await proved_again(identity, session, password)
    await passkeys.remove(identity, session.account, id)
    await identity.note(by, "passkey-remove", by.id)


async def renew_recovery(identity: Identity, by: Agent, session: Session, password: str) -> tuple[str, ...]:
    """New recovery codes, shown this once."""
    await proved_again(identity, session, password)
    recovery = await onetime.renew_recovery(identity, session.account)
    await identity.note(by, "recovery-renew", by.id)
    return recovery

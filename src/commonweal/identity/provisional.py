"""Somebody unknown: a person who gets help before any sign-in, and whose words are handed over when they sign in."""

import msgspec

from commonweal.identity import sessions
from commonweal.identity.account import ACCOUNTS, Account
from commonweal.identity.house import Identity
from commonweal.identity.ids import new_id
from commonweal.identity.sessions import ANONYMOUS, SESSIONS

MOST = 20
"""Provisional persons one account may take over; the newest are kept."""


async def open(identity: Identity, *, device: str = "", address: str = "") -> str:
    """A session without an account: the cookie's value. Its agent speaks for a provisional patient of its own."""
    patient = f"Patient/{new_id(identity.now())}"
    return await sessions.open(identity, None, device=device, address=address, patient=patient)


async def claim(identity: Identity, value: str, account: str) -> str | None:
    """Hand the provisional person of this session ("Patient/x") over to an account, exactly once; the session ends.
    What the record holds about that patient is moved by whoever is told (`Account.provisional`)."""
    session = await sessions.session(identity, value)
    if session is None or session.kind != ANONYMOUS:
        return None
    if await SESSIONS.take(identity.drawers, session.id) is None:
        return None
    identity.remembered.forget()

    def with_it(now: Account) -> Account:
        return msgspec.structs.replace(now, provisional=(*now.provisional, session.patient)[-MOST:])

    await ACCOUNTS.change(identity.drawers, account, with_it)
    return session.patient

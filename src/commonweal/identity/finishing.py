"""The end of every sign-in: a fresh session, whatever the browser came with; and the audit of those that failed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from commonweal.access.agent import Agent
from commonweal.access.roles import SYSTEM
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, agents, limits, provisional, sessions
from commonweal.identity.account import ACCOUNTS, STAFF, Account, Assignment
from commonweal.identity.house import Identity

ITSELF = Agent("system:identity", frozenset({SYSTEM}), "HOPERAT")
NO_ROLE = "there is no role in which you may act now; ask whoever manages access"


@dataclass(frozen=True, slots=True)
class From:
    """Where somebody signs in from: address, what the browser calls itself, and the cookie it came with."""

    address: str = ""
    device: str = ""
    before: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """It is done. `value` is the session's cookie; of `assignments` the first is chosen (sessions.choose)."""

    value: str = field(repr=False)
    account: Account
    assignments: tuple[Assignment, ...] = ()


async def finished(identity: Identity, account: Account, ways: Sequence[str], at: From) -> Signed:
    """Open a session. What was said before by somebody unknown is theirs now; a session the browser had ends.

    Problem 403 for staff without a role that holds now.
    """
    acting = account.acting(identity.now())
    if account.kind == STAFF and not acting:
        await failed(identity, account, at, "no role")
        raise Problem.forbidden([NO_ROLE])
    await limits.succeeded(identity, accounts.login_of(account.login))
    if at.before and await provisional.claim(identity, at.before, account.id) is None:
        await sessions.end(identity, at.before)
    account = await ACCOUNTS.change(
        identity.drawers, account.id, lambda now: msgspec.structs.replace(now, signed=identity.now())
    )
    chosen = acting[0].id if acting else ""
    value = await sessions.open(
        identity, account, device=at.device, address=at.address, ways=ways, assignment=chosen
    )
    agent = await agents.of_session(identity, value)
    await identity.note(agent, "sign-in", account.party, because=" ".join(ways), address=at.address)
    return Signed(value, account, acting)


async def failed(identity: Identity, account: Account | None, at: From, way: str) -> None:
    """A sign-in that was refused; what was typed as login is not written down, for it may be a password."""
    about = (account.party,) if account else ()
    await identity.note(agents.NOBODY, "sign-in", *about, because=way, outcome=401, address=at.address)

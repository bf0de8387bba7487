"""From a session to the agent who asks: the role, organization and areas of the assignment acted in."""

from commonweal.access.agent import ANONYMOUS, Agent
from commonweal.access.roles import RESIDENT, ROLES
from commonweal.fhir.outcome import Problem
from commonweal.identity import sessions
from commonweal.identity.account import ACCOUNTS, Account, Assignment
from commonweal.identity.account import RESIDENT as OF_RESIDENT
from commonweal.identity.house import Identity
from commonweal.identity.sessions import Session

NOBODY = Agent("anonymous", frozenset({ANONYMOUS}), ROLES[ANONYMOUS].purpose)
"""Who is not signed in and has no session either."""


async def of_session(identity: Identity, value: str) -> Agent:
    """Who comes with this cookie; Problem 401 when the session has ended or the person may act in nothing now.

    Remembered for five seconds at most, so that every end is known everywhere within these.
    """
    key, now = identity.hashed("agent", value), identity.now()
    known = identity.remembered.get(key, now)
    if isinstance(known, Agent):
        return known
    session = await sessions.session(identity, value)
    if session is None:
        raise Problem.unauthenticated("the session has ended")
    agent = await _agent(identity, session)
    identity.remembered.put(key, agent, now)
    return agent


async def _agent(identity: Identity, session: Session) -> Agent:
    if session.kind == sessions.ANONYMOUS:
        return Agent(session.patient, NOBODY.roles, NOBODY.purpose, session=session.id)
    account = await ACCOUNTS.get(identity.drawers, session.account)
    if account is None or account.disabled:
        raise Problem.unauthenticated("the session has ended")
    return of_account(account, session.assignment, identity.now(), session=session.id)


def of_account(account: Account, assignment: str, now: int, *, session: str = "") -> Agent:
    """The agent of an account acting in an assignment ("": the first that holds); Problem 401 when none holds."""
    if account.kind == OF_RESIDENT:
        roles, purpose = frozenset({RESIDENT}), ROLES[RESIDENT].purpose
        return Agent(account.party, roles, purpose, name=account.name, session=session)
    acting = [each for each in account.acting(now) if assignment in ("", each.id)]
    if not acting:
        raise Problem.unauthenticated("there is no role in which you may act now; ask whoever manages access")
    return _assigned(account, acting[0], session)


def _assigned(account: Account, acting: Assignment, session: str) -> Agent:
    return Agent(
        account.party,
        frozenset({acting.role}),
        ROLES[acting.role].purpose,
        acting.organization or None,
        frozenset(acting.areas),
        account.name or account.login,
        frozenset(acting.clearances),
        session=session,
    )

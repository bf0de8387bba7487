"""As whom an app acts: the person who let it in, in the assignment they acted in then; or its own organization."""

from dataclasses import replace

from commonweal.access.agent import Agent
from commonweal.access.roles import BACKEND
from commonweal.fhir.outcome import Problem
from commonweal.identity.account import ACCOUNTS, Account
from commonweal.identity.agents import of_account
from commonweal.identity.house import Identity
from commonweal.identity.oauth import scopes
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import ONLINE, Grant
from commonweal.identity.oauth.refused import Refused
from commonweal.identity.sessions import SESSIONS, Session


async def of_session(identity: Identity, session: Session) -> tuple[Account, Agent]:
    """Who answers an app, and as what. Problem 401 for somebody unknown, or who may act in nothing now."""
    account = await ACCOUNTS.get(identity.drawers, session.account) if session.account else None
    if account is None or account.disabled:
        raise Problem.unauthenticated("only who has signed in can let an app in")
    return account, of_account(account, session.assignment, identity.now(), session=session.id)


def acting(account: Account, session: Session, now: int) -> str:
    """The assignment in which a session acts, "" for a resident."""
    return session.assignment or next((each.id for each in account.acting(now)), "")


async def agent(identity: Identity, client: Client, grant: Grant, given: tuple[str, ...]) -> Agent:
    """The agent of a token of this grant, within the scopes given. Refused when there is nobody behind it any more."""
    own = await _person(identity, grant) if grant.account else system(client)
    return replace(
        own,
        scopes=scopes.resources(given),
        client=client.id,
        patient=f"Patient/{grant.patient}" if grant.patient else None,
    )


def system(client: Client) -> Agent:
    """A partner's system, for what its agreement says."""
    purpose = client.agreement.purposes[0] if client.agreement and client.agreement.purposes else "HOPERAT"
    organization = client.organization or None
    return Agent(f"client:{client.id}", frozenset((BACKEND,)), purpose, organization, name=client.name)


async def _person(identity: Identity, grant: Grant) -> Agent:
    account = await ACCOUNTS.get(identity.drawers, grant.account)
    if account is None or account.disabled:
        raise _over("the account was closed")
    if grant.renews == ONLINE and await SESSIONS.get(identity.drawers, grant.session) is None:
        raise _over("the person has signed out")
    try:
        return of_account(account, grant.assignment, identity.now(), session=grant.session)
    except Problem:
        raise _over("the person acts in that role no more") from None


def _over(why: str) -> Refused:
    return Refused("invalid_grant", why)

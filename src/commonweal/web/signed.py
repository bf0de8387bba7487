"""What pages about accounts begin with: the house of identity, and the session behind the cookie."""

from starlette.requests import Request

from commonweal.fhir.outcome import Problem
from commonweal.identity import sessions
from commonweal.identity.house import Identity
from commonweal.identity.sessions import Session
from commonweal.web import site, viewer


def house(request: Request) -> Identity:
    """Problem 400 where this installation keeps no accounts."""
    identity = site.of(request).identity
    if identity is None:
        raise Problem.not_supported("this installation keeps no accounts")
    return identity


async def session(request: Request) -> Session | None:
    """The session of whoever asks; None for a token of the command line, which has no account."""
    value = viewer.of(request).session
    return None if "." in value else await sessions.session(house(request), value)


def peer(request: Request) -> str:
    """The address from which somebody comes, for limits and the audit."""
    return request.client.host if request.client else ""

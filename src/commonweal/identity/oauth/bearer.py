"""Who comes with an access token: https://www.rfc-editor.org/rfc/rfc9068#section-4."""

from dataclasses import dataclass
from typing import Any

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import SECOND, Identity
from commonweal.identity.oauth import clients, grants, keys, places, whose
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import Grant
from commonweal.identity.oauth.issuing import ACCESS_TYPE
from commonweal.identity.oauth.refused import Refused

Json = dict[str, Any]
KEY = "access-token"


@dataclass(frozen=True, slots=True)
class Held:
    """A token that is good: what it says, what it comes from, and as whom it acts."""

    claims: Json
    client: Client
    grant: Grant
    agent: Agent

    @property
    def scopes(self) -> tuple[str, ...]:
        """As they are written in the token."""
        return tuple(self.claims["scope"].split())


async def agent_of(identity: Identity, token: str) -> Agent:
    """Whoever acts by this token; Problem 401 when it is not ours, expired, or was ended.

    Remembered for five seconds at most, so that an end is known everywhere within these.
    """
    try:
        return (await held(identity, token)).agent
    except Refused as refused:
        raise Problem.unauthenticated(refused.description) from None


async def held(identity: Identity, token: str) -> Held:
    """The token with all that it stands for. Refused when it is not good."""
    key, now = identity.hashed(KEY, token), identity.now()
    known = identity.remembered.get(key, now)
    if isinstance(known, Held) and now < known.claims["exp"] * SECOND:
        return known
    found = await _held(identity, token, now)
    identity.remembered.put(key, found, now)
    return found


async def _held(identity: Identity, token: str, now: int) -> Held:
    claims = await keys.verified(identity, token, type=ACCESS_TYPE)
    if not isinstance(claims.get("exp"), int) or now >= claims["exp"] * SECOND:
        raise _wrong("the token has expired")
    if claims.get("iss") != places.issuer(identity) or claims.get("aud") != places.fhir(identity):
        raise _wrong("the token is for another server")
    grant = await grants.find(identity, str(claims.get("grant")))
    if grant is None or grant.client != claims.get("client_id"):
        raise _wrong("the access was ended")
    client = await clients.active(identity, grant.client)
    given = tuple(str(claims.get("scope")).split())
    return Held(claims, client, grant, await whose.agent(identity, client, grant, given))


def _wrong(why: str) -> Refused:
    return Refused("invalid_token", why, 401)

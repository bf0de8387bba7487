"""Bearer tokens of this installation: short-lived, signed (RFC 7519, HS256), verified and shortly remembered."""

import time
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from commonweal.access.agent import Agent
from commonweal.boot import rings
from commonweal.boot.rings import Ring
from commonweal.fhir.outcome import Problem

ISSUER = "commonweal"
ALGORITHM = "HS256"
LONGEST_MINUTES = 24 * 60
REMEMBERED = 10_000
REMEMBERED_SECONDS = 2.0
"""With the time a ring is remembered: a token whose key was thrown away ends within five seconds."""


class Tokens:
    """Issues with the newest key of the ring and verifies with any; a token just verified costs a lookup."""

    def __init__(self, keys: Ring | bytes) -> None:
        self._keys = rings.of(keys) if isinstance(keys, bytes) else keys
        self._known: dict[str, tuple[float, float, Agent]] = {}

    def issue(self, role: str, minutes: int) -> str:
        """A token for a role, valid from now. ValueError when it would live longer than a day."""
        if not 1 <= minutes <= LONGEST_MINUTES:
            raise ValueError(f"a token lives between 1 and {LONGEST_MINUTES} minutes")
        now, key = int(time.time()), self._keys.current
        claims = {"iss": ISSUER, "sub": role, "roles": [role], "iat": now, "exp": now + minutes * 60}
        return jwt.encode({"alg": ALGORITHM, "kid": key.id}, claims, OctKey.import_key(key.key))

    def knows(self, token: str) -> bool:
        """Does it say that it is one of these, and not of an app? Whether that is true, `agent` tells."""
        return token in self._known or _header(token).get("alg") == ALGORITHM

    def agent(self, token: str) -> Agent:
        """Who holds this token; Problem 401 when it is not ours, changed or expired."""
        now = time.time()
        known = self._known.get(token)
        if known is None or not 0 <= now - known[0] < REMEMBERED_SECONDS:
            self._known.pop(token, None)
            known = (now, *self._verified(token))
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[token] = known
        _, expires, agent = known
        if now >= expires:
            self._known.pop(token, None)
            raise Problem.unauthenticated("the token has expired")
        return agent

    def _verified(self, token: str) -> tuple[float, Agent]:
        claims = next((found for key in self._candidates(token) if (found := _claims(token, key))), None)
        if claims is None or claims.get("iss") != ISSUER or not isinstance(claims.get("exp"), int):
            raise Problem.unauthenticated("the token is not one of ours")
        return claims["exp"], Agent(claims["sub"], frozenset(claims["roles"]), name=claims["sub"])

    def _candidates(self, token: str) -> list[bytes]:
        """The key that the token names; every one for a token that names none, as those before rings."""
        id = _kid(token)
        if id is None:
            return [each.key for each in self._keys]
        key = self._keys.key(id)
        return [key] if key else []


def _kid(token: str) -> str | None:
    id = _header(token).get("kid")
    return id if isinstance(id, str) else None


def _header(token: str) -> dict[str, Any]:
    try:
        return dict(jws.extract_compact(token.encode()).headers())
    except (JoseError, ValueError):
        return {}


def _claims(token: str, key: bytes) -> dict[str, Any] | None:
    try:
        return jwt.decode(token, OctKey.import_key(key), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError):
        return None

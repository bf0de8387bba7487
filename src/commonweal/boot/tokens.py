"""Bearer tokens of this installation: short-lived, signed (RFC 7519, HS256), verified once and remembered."""

import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem

ISSUER = "commonweal"
LONGEST_MINUTES = 24 * 60
REMEMBERED = 10_000


class Tokens:
    """Issues and verifies; a verified token is remembered until it expires, so that a request costs a lookup."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)
        self._known: dict[str, tuple[float, Agent]] = {}

    def issue(self, role: str, minutes: int) -> str:
        """A token for a role, valid from now. ValueError when it would live longer than a day."""
        if not 1 <= minutes <= LONGEST_MINUTES:
            raise ValueError(f"a token lives between 1 and {LONGEST_MINUTES} minutes")
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": role, "roles": [role], "iat": now, "exp": now + minutes * 60}
        return jwt.encode({"alg": "HS256"}, claims, self._key)

    def agent(self, token: str) -> Agent:
        """Who holds this token; Problem 401 when it is not ours, changed or expired."""
        known = self._known.get(token)
        if known is None:
            known = self._verified(token)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[token] = known
        expires, agent = known
        if time.time() >= expires:
            self._known.pop(token, None)
            raise Problem.unauthenticated("the token has expired")
        return agent

    def _verified(self, token: str) -> tuple[float, Agent]:
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
        except (JoseError, ValueError):
            raise Problem.unauthenticated("the token is not one of ours") from None
        if claims.get("iss") != ISSUER or not isinstance(claims.get("exp"), int):
            raise Problem.unauthenticated("the token is not one of ours")
        return claims["exp"], Agent(claims["sub"], frozenset(claims["roles"]), name=claims["sub"])

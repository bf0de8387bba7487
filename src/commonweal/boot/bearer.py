"""Who sends a request: the token in its `Authorization: Bearer …` (RFC 6750), which is never written anywhere."""

from dataclasses import replace

from commonweal.access.agent import Agent
from commonweal.boot.http import Scope
from commonweal.boot.tokens import Tokens
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.identity.oauth import bearer


class Bearer:
    """Tokens of the command line, and those that apps and partners were given."""

    def __init__(self, tokens: Tokens, identity: Identity) -> None:
        self._tokens = tokens
        self._identity = identity

    async def __call__(self, scope: Scope) -> Agent:
        for name, value in scope["headers"]:
            if name == b"authorization":
                scheme, _, token = value.decode("latin-1").partition(" ")
                if scheme.lower() == "bearer":
                    return self._admitted(scope, await self._agent(token.strip()))
        raise Problem.unauthenticated("send a bearer token (commonweal token prints one)")

    async def _agent(self, token: str) -> Agent:
        if self._tokens.knows(token):
            return self._tokens.agent(token)
        return await bearer.agent_of(self._identity, token)

    def _admitted(self, scope: Scope, agent: Agent) -> Agent:
        """The agent with where it asks from; the front counts its requests."""
        if admit := scope.get("admit"):
            admit(agent)
        address = scope["client"][0] if scope.get("client") else ""
        return replace(agent, address=address)

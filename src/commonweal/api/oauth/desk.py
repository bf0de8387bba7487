"""What the handlers of OAuth work with."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from commonweal.access.agent import Agent
from commonweal.identity.house import Identity
from commonweal.identity.oauth.keysets import Keysets

Authenticate = Callable[[MutableMapping[str, Any]], Awaitable[Agent]]
Registers = Callable[[Agent], object]


@dataclass(frozen=True, slots=True)
class Desk:
    """`authenticate` and `registers`: who asks to register an app, and may they?"""

    identity: Identity
    keysets: Keysets
    authenticate: Authenticate
    registers: Registers


def desk(request: Request) -> Desk:
    """That of the application which answers."""
    found: Desk = request.app.state.desk
    return found

"""The apps and partner systems that an operator has registered: https://www.rfc-editor.org/rfc/rfc7591."""

import asyncio
import re
from typing import Any, Literal

import msgspec
import structlog

from commonweal.access.agent import Agent
from commonweal.identity.house import Identity, fresh
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.oauth.refused import unauthenticated

logger = structlog.get_logger("commonweal.oauth")
Kind = Literal["public", "symmetric", "asymmetric"]
LOOK_SECONDS = 5
MACHINE = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(/[^#]*)?")


class Agreement(msgspec.Struct, frozen=True):
    """What a partner may come for: `until` in microseconds, purposes as codes of v3-ActReason, and where it is
    written down."""

    until: int
    purposes: tuple[str, ...]
    because: str = ""


class Client(Secret, frozen=True, kw_only=True):
    """One registered app or system.

    `kind`: how it shows who it is (not at all, by a secret, by a signed assertion); `secret` is a keyed hash.
    `scopes`: as they are written, the most it can get. `launch` is where the record opens it, `origins` from
    where its pages call us. `agreement`: without one there is no access as a system. `introspects`: it may ask
    about tokens of others. `signs`: the algorithm of its id tokens. `made` in microseconds.
    """

    id: str
    name: str
    kind: Kind = "public"
    redirects: tuple[str, ...] = ()
    grants: tuple[str, ...] = ("authorization_code", "refresh_token")
    scopes: tuple[str, ...] = ()
    launch: str = ""
    home: str = ""
    origins: tuple[str, ...] = ()
    organization: str = ""
    agreement: Agreement | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    secret: str = ""
    signs: str = "RS256"
    introspects: bool = False
    enabled: bool = True
    made: int = 0
    made_by: str = ""


CLIENTS = Kept("client", Client)


async def keep(identity: Identity, client: Client) -> Client:
    """A new client, under a new id."""
    client = msgspec.structs.replace(client, id=fresh(), made=identity.now())
    await CLIENTS.put(identity.drawers, client.id, client, version=0)
    return client


async def find(identity: Identity, id: str) -> Client | None:
    """A client, whatever its state."""
    return await CLIENTS.get(identity.drawers, id)


async def active(identity: Identity, id: str) -> Client:
    """A client that may act now; Refused when it is unknown, switched off, or its agreement is over."""
    client = await find(identity, id)
    if client is None or not client.enabled:
        raise unauthenticated("the app is not known here, or has been switched off")
    if client.agreement is not None and identity.now() >= client.agreement.until:
        raise unauthenticated("the agreement with the app's organization is over")
    return client


async def page(identity: Identity, after: str = "", limit: int = 100) -> list[Client]:
    """All clients in the order of their ids."""
    return [client for _, client in await CLIENTS.page(identity.drawers, after, limit)]


async def change(identity: Identity, by: Agent, id: str, *, because: str = "", **fields: Any) -> Client:
    """Other values for some fields (`enabled=False` switches it off, within seconds everywhere); Problem 404 when
    there is none."""
    client = await CLIENTS.change(identity.drawers, id, lambda now: msgspec.structs.replace(now, **fields))
    identity.remembered.forget()
    await identity.note(by, "client-change", f"client-{id}", because=because or ", ".join(sorted(fields)))
    return client


async def new_secret(identity: Identity, by: Agent, id: str) -> str:
    """A fresh secret for a client, the only time that it can be seen; the old one is of no use any more."""
    secret = fresh()
    await change(identity, by, id, secret=hashed_secret(identity, secret))
    return secret


class Origins:
    """From where pages of registered apps may call us; known from the last `look`, which a process takes at its
    start and every five seconds (`follow`)."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._known: frozenset[str] = frozenset()

    def __call__(self, origin: str) -> bool:
        """May a page of this origin ask?"""
        return origin in self._known

    async def look(self) -> None:
        """Read all clients once."""
        found: set[str] = set()
        clients = await page(self._identity)
        while clients:
            found.update(*(each.origins for each in clients if each.enabled))
            clients = await page(self._identity, clients[-1].id)
        self._known = frozenset(found)

    async def follow(self) -> None:
        """Look again and again, until cancelled; what could not be read stays as it was."""
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("the origins of apps could not be read")
            await asyncio.sleep(LOOK_SECONDS)


def hashed_secret(identity: Identity, secret: str) -> str:
    """What is kept of a secret; it is 256 random bits, so that a keyed hash is all it takes."""
    return identity.hashed("client secret", secret)


def is_redirect(client: Client, address: str) -> bool:
    """Is that one of its registered addresses, to the letter? On this very machine the port is the app's to choose:
    https://www.rfc-editor.org/rfc/rfc8252#section-7.3."""
    if address in client.redirects:
        return True
    place = _without_port(address)
    return place is not None and any(place == _without_port(each) for each in client.redirects)


def _without_port(address: str) -> tuple[str | None, ...] | None:
    found = MACHINE.fullmatch(address)
    return None if found is None else found.groups()

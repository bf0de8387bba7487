"""What somebody, or an agreement, has given an app: the root of all its tokens, which die with it.

A refresh token is used once. One that comes back after it was used was stolen, by whoever came first or second: the
grant ends (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from commonweal.identity.drawers import Taken
from commonweal.identity.house import DAY, Identity, fresh
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.oauth.refused import Refused

REFRESH = "refresh-token"
ACCESS_SECONDS = 300
OFFLINE, ONLINE = "offline_access", "online_access"
LIFETIMES = {OFFLINE: 180 * DAY, ONLINE: DAY // 2}
"""How long an app may come back, without the person or while they are signed in, at most [P]."""
REMEMBERED = 7 * DAY
"""How long a used refresh token is known as used."""


class Grant(Secret, frozen=True, kw_only=True):
    """`account`, `assignment`, `session`: who gave it, acting as what, in which sign-in ("" for a system's own).

    `scopes` as written; `patient` and `encounter` are ids; `user` is the person's reference. `refresh` is the hash
    of the one refresh token that is good. Times in microseconds; `last` is that of the last token.
    """

    id: str
    client: str
    account: str = ""
    assignment: str = ""
    session: str = ""
    scopes: tuple[str, ...] = ()
    patient: str = ""
    encounter: str = ""
    intent: str = ""
    banner: bool = True
    user: str = ""
    name: str = ""
    nonce: str = ""
    refresh: str = ""
    since: int = 0
    last: int = 0
    until: int = 0

    @property
    def renews(self) -> str:
        """OFFLINE, ONLINE or "": may it be renewed, and while what?"""
        return next((each for each in LIFETIMES if each in self.scopes), "")


GRANTS = Kept("grant", Grant)


async def open(identity: Identity, grant: Grant) -> Grant:
    """A new grant under a new id, in force until its `until`."""
    now = identity.now()
    grant = msgspec.structs.replace(grant, id=fresh(), since=now, last=now)
    await _put(identity, grant, 0)
    return grant


async def find(identity: Identity, id: str) -> Grant | None:
    """A grant that is in force."""
    return await GRANTS.get(identity.drawers, id)


async def of(identity: Identity, owner: str) -> Sequence[Grant]:
    """All that an account (or "client:" and the id of a system) has given."""
    return [grant for _, grant in await GRANTS.of(identity.drawers, owner)]


async def change(identity: Identity, id: str, **fields: Any) -> Grant:
    """Other values for some fields. LookupError when it is over, Taken when somebody changed it first."""
    entry = await identity.drawers.get(GRANTS.kind, id)
    if entry is None:
        raise LookupError(id)
    grant = msgspec.structs.replace(GRANTS.read(entry), **fields)
    await _put(identity, grant, entry.version)
    return grant


async def end(identity: Identity, id: str) -> None:
    """No token of it is good any more: here at once, everywhere within the seconds that tokens are remembered."""
    identity.remembered.forget()
    await identity.drawers.remove(GRANTS.kind, id)
    await identity.drawers.remove_of(REFRESH, id)


async def end_all(identity: Identity, owner: str) -> None:
    """End all that an account has given: it is closed, or its owner lost a telephone."""
    for grant in await of(identity, owner):
        await end(identity, grant.id)


async def new_refresh(identity: Identity, grant: Grant) -> tuple[Grant, str]:
    """A refresh token, the only good one of its grant from now on. Taken when another was made meanwhile."""
    token = fresh()
    hashed = identity.hashed(REFRESH, token)
    changed = await change(identity, grant.id, refresh=hashed, last=identity.now())
    await identity.drawers.put(REFRESH, hashed, grant.id.encode(), owner=grant.id, until=changed.until)
    return changed, token


async def of_refresh(identity: Identity, token: str) -> tuple[Grant, str] | None:
    """The grant of a refresh token, and the token's hash, whether or not it was used; None when it is unknown."""
    hashed = identity.hashed(REFRESH, token)
    entry = await identity.drawers.get(REFRESH, hashed)
    grant = None if entry is None else await find(identity, entry.data.decode())
    return None if grant is None else (grant, hashed)


async def renew(identity: Identity, token: str, client: str) -> tuple[Grant, str]:
    """The grant of a refresh token and the token that replaces it. Refused when it is not this client's, is over,
    or was used before; then the grant ends."""
    found = await of_refresh(identity, token)
    if found is None or found[0].client != client:
        raise Refused("invalid_grant", "the refresh token is not one of this app, or is over")
    grant, hashed = found
    if grant.refresh != hashed:
        await _stolen(identity, grant)
    try:
        renewed = await new_refresh(identity, grant)
    except Taken:
        await _stolen(identity, grant)
    except LookupError:
        raise Refused("invalid_grant", "the access was ended") from None
    until = min(grant.until, identity.now() + REMEMBERED)
    await identity.drawers.put(REFRESH, hashed, grant.id.encode(), owner=grant.id, until=until)
    return renewed


async def _stolen(identity: Identity, grant: Grant) -> None:
    await end(identity, grant.id)
    raise Refused("invalid_grant", "the refresh token was used before; all that came of it is ended")


async def _put(identity: Identity, grant: Grant, version: int) -> None:
    owner = grant.account or f"client:{grant.client}"
    await GRANTS.put(identity.drawers, grant.id, grant, owner=owner, until=grant.until, version=version)

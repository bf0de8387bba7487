"""The apps somebody has let in, and how to show them out again."""

from dataclasses import dataclass

from commonweal.identity.house import Identity
from commonweal.identity.oauth import clients, grants, scopes
from commonweal.identity.oauth.scopes import Told


@dataclass(frozen=True, slots=True)
class App:
    """One grant: `since` and `last` (of its last token) in microseconds; `patient` is an id; `renews` is the scope by
    which it goes on ("offline_access", "online_access"), "" when it does not."""

    grant: str
    client: str
    name: str
    home: str
    scopes: list[Told]
    patient: str
    since: int
    last: int
    until: int
    renews: str


async def of(identity: Identity, account: str) -> list[App]:
    """What an account has given, newest first."""
    found = sorted(await grants.of(identity, account), key=lambda grant: -grant.since)
    named = {id: await clients.find(identity, id) for id in {grant.client for grant in found}}
    return [
        App(
            grant=grant.id,
            client=grant.client,
            name=client.name,
            home=client.home,
            scopes=scopes.told(grant.scopes),
            patient=grant.patient,
            since=grant.since,
            last=grant.last,
            until=grant.until,
            renews=grant.renews,
        )
        for grant in found
        if (client := named[grant.client]) is not None
    ]


async def revoke(identity: Identity, account: str, grant: str) -> bool:
    """End one of them; False when it is not this account's or is over."""
    found = await grants.find(identity, grant)
    if found is None or found.account != account:
        return False
    await grants.end(identity, grant)
    return True

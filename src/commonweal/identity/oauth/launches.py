"""Apps opened from the record, with what was open there: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch."""

from urllib.parse import urlencode

from commonweal.identity.house import MINUTE, Identity, fresh
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.oauth import clients, places
from commonweal.identity.oauth.clients import Client
from commonweal.identity.sessions import Session

PATIENCE = 10 * MINUTE


class Launch(Secret, frozen=True, kw_only=True):
    """Who opened which app on whom; `patient` and `encounter` are ids, `banner`: the app must say whose data it
    shows."""

    client: str
    account: str
    patient: str = ""
    encounter: str = ""
    intent: str = ""
    banner: bool = True


LAUNCHES = Kept("launch", Launch)


async def offered(identity: Identity) -> list[Client]:
    """The apps that can be opened from the record, by name."""
    found: list[Client] = []
    some = await clients.page(identity)
    while some:
        found += [each for each in some if each.enabled and each.launch and "launch" in each.scopes]
        some = await clients.page(identity, some[-1].id)
    return sorted(found, key=lambda client: client.name)


async def open(
    identity: Identity,
    session: Session,
    client: str,
    patient: str = "",
    encounter: str = "",
    *,
    intent: str = "",
    banner: bool = True,
) -> str:
    """A handle for one launch within ten minutes; `client` is the app's id, patient and encounter are ids."""
    launch = Launch(
        client=client,
        account=session.account,
        patient=patient,
        encounter=encounter,
        intent=intent,
        banner=banner,
    )
    handle = fresh()
    until = identity.now() + PATIENCE
    await LAUNCHES.put(identity.drawers, identity.hashed(LAUNCHES.kind, handle), launch, until=until)
    return handle


async def address(identity: Identity, client: str, handle: str) -> str:
    """Where the browser goes to open the app. Refused when it may not be used, ValueError when it has no launch."""
    told = await clients.active(identity, client)
    if not told.launch:
        raise ValueError("this app cannot be opened from here")
    query = urlencode({"iss": places.fhir(identity), "launch": handle})
    return f"{told.launch}{'&' if '?' in told.launch else '?'}{query}"


async def find(identity: Identity, handle: str) -> Launch | None:
    """A launch that has not been used yet."""
    return await LAUNCHES.get(identity.drawers, identity.hashed(LAUNCHES.kind, handle))


async def use(identity: Identity, handle: str) -> Launch | None:
    """The same, once."""
    return await LAUNCHES.take(identity.drawers, identity.hashed(LAUNCHES.kind, handle))

"""Sessions: opened after sign-in, looked up by the value of a cookie, listed and ended by those they are of."""

import ipaddress
from collections.abc import Sequence

import msgspec

from commonweal.identity.account import ACCOUNTS, Account
from commonweal.identity.drawers import Entry, Taken
from commonweal.identity.house import MINUTE, SECOND, Identity, fresh
from commonweal.identity.kept import Kept, Secret

STAFF, RESIDENT, ANONYMOUS = "staff", "resident", "anonymous"


class Session(Secret, frozen=True):
    """One sign-in. `account` is "" for somebody unknown; `assignment` is the one acted in ("": none is chosen, the
    first that holds). `until` is when it ends in any case; `device` and `address` are told only roughly, for the list.
    `id` names it in that list and in the audit; the cookie's value follows from it no more than from any other text.
    `patient`: the provisional person ("Patient/x") that somebody unknown speaks for."""

    id: str
    kind: str
    account: str
    opened: int
    used: int
    until: int
    assignment: str = ""
    device: str = ""
    address: str = ""
    ways: tuple[str, ...] = ()
    patient: str = ""


SESSIONS = Kept("session", Session)


async def open(
    identity: Identity,
    account: Account | None,
    *,
    device: str = "",
    address: str = "",
    ways: Sequence[str] = (),
    assignment: str = "",
    patient: str = "",
) -> str:
    """The cookie's value, shown this once. `ways`: how the person proved who they are ("password", "totp" …)."""
    value, now = fresh(), identity.now()
    kind = account.kind if account else ANONYMOUS
    lifetime = identity.parameters.lifetime(kind)
    session = Session(
        _id(identity, value),
        kind,
        account.id if account else "",
        now,
        now,
        now + lifetime.absolute * MINUTE,
        assignment,
        described(device),
        coarse(address),
        tuple(ways),
        patient,
    )
    await _put(identity, session, version=0)
    return value


async def session(identity: Identity, value: str) -> Session | None:
    """Whose cookie this is; None when it was ended or is past its time. Remembered for five seconds at most."""
    id, now = _id(identity, value), identity.now()
    known = identity.remembered.get(id, now)
    if isinstance(known, Session):
        return known if now < _ends(identity, known) else None
    entry = await identity.drawers.get(SESSIONS.kind, id)
    if entry is None:
        return None
    found = await _touched(identity, SESSIONS.read(entry), entry)
    identity.remembered.put(id, found, now)
    return found


async def list(identity: Identity, account: str) -> Sequence[Session]:
    """Those of an account, the one used last first."""
    found = [each for _, each in await SESSIONS.of(identity.drawers, account)]
    return sorted(found, key=lambda each: each.used, reverse=True)


async def end(identity: Identity, value: str) -> None:
    """Sign out: the session of this cookie."""
    await identity.drawers.remove(SESSIONS.kind, _id(identity, value))
    identity.remembered.forget()


async def end_one(identity: Identity, account: str, id: str) -> bool:
    """One of the list; False when this account has none of that id."""
    entry = await identity.drawers.get(SESSIONS.kind, id)
    if entry is None or entry.owner != account:
        return False
    ended = await identity.drawers.remove(SESSIONS.kind, id)
    identity.remembered.forget()
    return ended


async def end_all(identity: Identity, account: str, *, but: str = "", acting: str | None = None) -> int:
    """All of an account; `but`: the cookie of the one to keep; `acting`: only those in this assignment."""
    kept, ended = _id(identity, but) if but else "", 0
    for id, each in await SESSIONS.of(identity.drawers, account):
        if id != kept and acting in (None, each.assignment):
            ended += await identity.drawers.remove(SESSIONS.kind, id)
    identity.remembered.forget()
    return ended


async def choose(identity: Identity, value: str, assignment: str) -> bool:
    """Act in another assignment from now on; False when it is not one of theirs that holds now."""
    id = _id(identity, value)
    entry = await identity.drawers.get(SESSIONS.kind, id)
    if entry is None:
        return False
    account = await ACCOUNTS.get(identity.drawers, entry.owner)
    if account is None or assignment not in (each.id for each in account.acting(identity.now())):
        return False
    await SESSIONS.change(
        identity.drawers, id, lambda now: msgspec.structs.replace(now, assignment=assignment)
    )
    identity.remembered.forget()
    return True


async def _touched(identity: Identity, found: Session, entry: Entry) -> Session:
    """It was used: its idle time begins again. Written once in a while only, and never for one that was ended."""
    idle = identity.parameters.lifetime(found.kind).idle * MINUTE
    if identity.now() - found.used < max(30 * SECOND, idle // 60):
        return found
    used = msgspec.structs.replace(found, used=identity.now())
    try:
        await _put(identity, used, version=entry.version)
    except Taken:
        return found
    return used


async def _put(identity: Identity, session: Session, version: int) -> None:
    until = _ends(identity, session)
    await SESSIONS.put(
        identity.drawers, session.id, session, owner=session.account, until=until, version=version
    )


def _ends(identity: Identity, session: Session) -> int:
    """When it ends if it is not used again."""
    return min(session.until, session.used + identity.parameters.lifetime(session.kind).idle * MINUTE)


def _id(identity: Identity, value: str) -> str:
    return identity.hashed("session", value)


def coarse(address: str) -> str:
    """The network of an address: enough to recognise, too little to follow anybody (IPv4 /24, IPv6 /48)."""
    try:
        given = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return ""
    width = 24 if given.version == 4 else 48
    return str(ipaddress.ip_network(f"{given}/{width}", strict=False))


BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("MicroMessenger", "WeChat"), ("Chrome/", "Chrome"))
SYSTEMS = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"))
MORE = (("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))


def described(agent: str) -> str:
    """A browser and its system in two words ("Firefox, Windows") of what it says of itself."""
    browser = next((name for mark, name in (*BROWSERS, ("Safari/", "Safari")) if mark in agent), "")
    system = next((name for mark, name in (*SYSTEMS, *MORE) if mark in agent), "")
    return ", ".join(filter(None, (browser, system)))

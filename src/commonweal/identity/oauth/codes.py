"""Authorization codes: used once, within a minute, by the app that asked: https://www.rfc-editor.org/rfc/rfc7636."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

import msgspec

from commonweal.identity.drawers import Entry, Taken
from commonweal.identity.house import DAY, MINUTE, SECOND, Identity, fresh
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.oauth import grants
from commonweal.identity.oauth.asking import Asked
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import Grant
from commonweal.identity.oauth.refused import Refused

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
GOOD_FOR = MINUTE
KNOWN_FOR = DAY
"""So long a code that was used is known as used."""


class Code(Secret, frozen=True):
    """What a code stands for: the request, what was given, until when; `used` is the id of what came of it."""

    asked: Asked
    grant: Grant
    until: int
    used: str = ""


CODES = Kept("code", Code)


async def give(identity: Identity, asked: Asked, grant: Grant) -> str:
    """A code for what somebody has just given."""
    code, now = fresh(), identity.now()
    told, id = Code(asked, grant, now + GOOD_FOR), identity.hashed(CODES.kind, code)
    await CODES.put(identity.drawers, id, told, until=now + KNOWN_FOR)
    return code


async def redeem(identity: Identity, client: Client, code: str, redirect: str, verifier: str) -> Grant:
    """What the code was given for, in force from now on. Refused (invalid_grant) when it is not good any more, or
    not from this app, for this address and with this verifier: then it is good for nobody, and what came of it
    before is ended."""
    entry = await identity.drawers.get(CODES.kind, identity.hashed(CODES.kind, code))
    if entry is None:
        raise _wrong("the code is unknown or over")
    told = CODES.read(entry)
    fault = _fault(identity, told, client, redirect, verifier)
    if fault:
        await _burn(identity, entry)
        raise _wrong(fault)
    grant = await grants.open(
        identity, msgspec.structs.replace(told.grant, until=_until(identity, client, told))
    )
    try:
        used = msgspec.structs.replace(told, used=grant.id)
        await CODES.put(identity.drawers, entry.id, used, until=entry.until, version=entry.version)
    except Taken:
        await grants.end(identity, grant.id)
        await _burn(identity, await identity.drawers.get(CODES.kind, entry.id))
        raise _wrong("the code was used before; all that came of it is ended") from None
    return grant


def _fault(identity: Identity, told: Code, client: Client, redirect: str, verifier: str) -> str:
    """What is wrong with the attempt, "" when nothing is."""
    digest = urlsafe_b64encode(sha256(verifier.encode("utf-8", "replace")).digest()).rstrip(b"=")
    faults = {
        "the code was used before; all that came of it is ended": bool(told.used),
        "the code is unknown or over": identity.now() >= told.until,
        "the code was given to another app": told.asked.client != client.id,
        "redirect_uri is not that of the request": told.asked.redirect != redirect,
        "code_verifier does not fit": not VERIFIER.fullmatch(verifier)
        or not hmac.compare_digest(digest, told.asked.challenge.encode()),
    }
    return next((fault for fault, is_so in faults.items() if is_so), "")


async def _burn(identity: Identity, entry: Entry | None) -> None:
    """Whoever comes twice or with the wrong proof may be a thief, or come after one."""
    if entry is None:
        return
    used = CODES.read(entry).used
    if used:
        await grants.end(identity, used)
    else:
        await identity.drawers.remove(CODES.kind, entry.id)


def _until(identity: Identity, client: Client, told: Code) -> int:
    """Until when it is in force: as long as it may be renewed, else as long as the one access token."""
    now = identity.now()
    renewable = "refresh_token" in client.grants
    lifetime = grants.LIFETIMES.get(told.grant.renews, 0) if renewable else 0
    return now + max(lifetime, grants.ACCESS_SECONDS * SECOND)


def _wrong(description: str) -> Refused:
    return Refused("invalid_grant", description)

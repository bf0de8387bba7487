"""Sign-in of staff at a provider of OpenID Connect: https://openid.net/specs/openid-connect-core-1_0.html.

Authorization code with PKCE, state and nonce. Whom the provider names is nobody here until an account has been linked
to that subject of that issuer: neither an e-mail address nor a name makes anybody anyone.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from commonweal.access.agent import Agent
from commonweal.external.provider import Provider, Refused
from commonweal.fhir.outcome import Problem
from commonweal.identity.account import Account
from commonweal.identity.accounts import get
from commonweal.identity.drawers import Taken
from commonweal.identity.house import MINUTE, Identity, fresh
from commonweal.identity.kept import Kept, Secret

LONGEST = 10 * MINUTE
"""Between leaving for the provider and coming back."""
SCOPE = "openid"
"""Nothing else is wanted: who somebody is here is known here."""


class Leaving(Secret, frozen=True):
    """What is remembered of a sign-in that is under way; `browser` is the hash of a value in the browser's cookie,
    `account` the one that is to be linked ("": one that is linked already is to be found)."""

    nonce: str
    verifier: str
    browser: str
    following: str
    account: str


class Link(Secret, frozen=True):
    """An account and the subject it is linked to, for the list of an account's links."""

    account: str
    issuer: str
    subject: str
    made: int


LEAVING = Kept("oidc-leaving", Leaving)
LINKS = Kept("oidc-link", Link)
"""By keyed hash of issuer and subject, owned by the account."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Where to send the browser, and the value of a cookie (HttpOnly, Lax, ten minutes) that must come back with it."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came back and where they were going; `factors`: two when the provider says that it asked for two, else one;
    `linked`: the account has just been linked, and nobody is to be signed in."""

    account: Account
    following: str
    factors: int
    linked: bool


async def begin(provider: Provider, identity: Identity, *, following: str = "/", account: str = "") -> Leave:
    """Go to the provider. `account`: link it to whoever comes back (its owner must be signed in, second factor and
    all). Problem 503 when the provider cannot be asked."""
    state, browser, nonce, verifier = fresh(), fresh(), fresh(), fresh()
    leaving = Leaving(nonce, verifier, identity.hashed("oidc-browser", browser), following, account)
    id = identity.hashed("oidc-state", state)
    await LEAVING.put(identity.drawers, id, leaving, until=identity.now() + LONGEST, version=0)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": provider.client,
        "redirect_uri": provider.redirect,
        "scope": SCOPE,
        "state": state,
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return Leave(await provider.authorize(urlencode(asked)), browser)


async def finish(
    provider: Provider,
    identity: Identity,
    params: Mapping[str, str],
    browser: str,
    *,
    signed_in: str = "",
    address: str = "",
) -> Arrival:
    """Somebody came back with `params` and the cookie's value; `signed_in`: the account of their session, if any.

    Problem 401 when anything about it is not as it should be (once refused, one begins again), 403 when nobody here
    is linked to whom the provider names.
    """
    state = params.get("state", "")
    leaving = await LEAVING.take(identity.drawers, identity.hashed("oidc-state", state)) if state else None
    if leaving is None or leaving.browser != identity.hashed("oidc-browser", browser):
        raise Problem.unauthenticated("this sign-in was not begun in this browser, or too long ago")
    if leaving.account and leaving.account != signed_in:
        raise Problem.unauthenticated("whoever wanted this link is no longer signed in")
    try:
        claims = await provider.claims(params, leaving.verifier, leaving.nonce, identity.now() // 1_000_000)
    except Refused as refusal:
        await _note(identity, "", address, 401, str(refusal))
        raise Problem.unauthenticated("the sign-in at the provider did not succeed; begin again") from None
    subject = str(claims["sub"])
    account = await _account(provider, identity, leaving, subject, address)
    factors = 2 if _is_strong(claims.get("amr")) else 1
    return Arrival(account, leaving.following, factors, bool(leaving.account))


async def link(identity: Identity, by: Agent, account: str, issuer: str, subject: str) -> None:
    """From now on this subject is that account. Problem 409 when it is another one's already."""
    found = await get(identity, account)
    made = Link(account, issuer, subject, identity.now())
    try:
        await LINKS.put(identity.drawers, _place(identity, issuer, subject), made, owner=account, version=0)
    except Taken:
        there = await LINKS.get(identity.drawers, _place(identity, issuer, subject))
        if there is None or there.account != account:
            raise Problem.conflict("That sign-in is linked to another account already.") from None
    await identity.note(by, "account-link", found.party)


async def unlink(identity: Identity, by: Agent, account: str, issuer: str, subject: str) -> None:
    """That subject is nobody here any more. Problem 404 when it was not that account."""
    id = _place(identity, issuer, subject)
    there = await LINKS.get(identity.drawers, id)
    if there is None or there.account != account:
        raise Problem.of("cw-nothing", what="link")
    await identity.drawers.remove(LINKS.kind, id)
    await identity.note(by, "account-unlink", (await get(identity, account)).party)


async def links(identity: Identity, account: str) -> Sequence[Link]:
    """All subjects that are this account."""
    return [each for _, each in await LINKS.of(identity.drawers, account)]


async def _account(
    provider: Provider, identity: Identity, leaving: Leaving, subject: str, address: str
) -> Account:
    if leaving.account:
        own = await get(identity, leaving.account)
        await link(identity, Agent(own.party), own.id, provider.issuer, subject)
    found = await LINKS.get(identity.drawers, _place(identity, provider.issuer, subject))
    account = await get(identity, found.account) if found else None
    if account is None or account.disabled:
        await _note(identity, account.party if account else "", address, 403, "no account is linked")
        raise Problem.forbidden(["No account here is linked to that sign-in; ask those who manage access."])
    return account


async def _note(identity: Identity, party: str, address: str, outcome: int, why: str) -> None:
    agent = Agent(party or "anonymous")
    about = (party,) if party else ()
    await identity.note(agent, "sign-in", *about, because=why, outcome=outcome, address=address)


def _place(identity: Identity, issuer: str, subject: str) -> str:
    return identity.hashed("oidc-link", f"{issuer}\x1f{subject}")


def _is_strong(amr: object) -> bool:
    """RFC 8176: the provider says in so many words that it asked for more than one factor."""
    return isinstance(amr, list) and "mfa" in amr

"""The authorization request: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code."""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from commonweal.identity.house import MINUTE, Identity, fresh
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.oauth import clients, launches, places, scopes
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.refused import Refused

PAGE = "/apps/consent"
PATIENCE = 15 * MINUTE
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST = {"state": 2048, "nonce": 512, "launch": 128, "scope": 8192}
SPECIAL = ("request", "request_uri", "registration", "claims")


class Asked(Secret, frozen=True, kw_only=True):
    """What an app asks for, checked. `launch` is the handle of the record's own launch, "" when there was none."""

    client: str
    redirect: str
    state: str
    scopes: tuple[str, ...]
    challenge: str
    nonce: str = ""
    launch: str = ""


REQUESTS = Kept("authorize", Asked)


async def begin(identity: Identity, pairs: Sequence[tuple[str, str]]) -> str:
    """Where the browser goes next: to the page that asks the person, or back to the app with an error.

    Refused when it cannot be sent back anywhere, as the app or its address is not known: then the error is shown
    here, as nobody is redirected to an unregistered address.
    """
    told = dict(pairs)
    client, redirect = await _known(identity, told)
    try:
        if len(told) != len(pairs):
            raise Refused("invalid_request", "a parameter was given more than once")
        asked = await _asked(identity, client, redirect, told)
    except Refused as refused:
        return failed(identity, redirect, told.get("state", ""), refused)
    handle = fresh()
    until = identity.now() + PATIENCE
    await REQUESTS.put(identity.drawers, identity.hashed(REQUESTS.kind, handle), asked, until=until)
    return f"{PAGE}?{urlencode({'request': handle})}"


async def find(identity: Identity, handle: str) -> Asked | None:
    """A request that waits for the person's answer."""
    return await REQUESTS.get(identity.drawers, identity.hashed(REQUESTS.kind, handle))


async def take(identity: Identity, handle: str) -> Asked | None:
    """The same, once."""
    return await REQUESTS.take(identity.drawers, identity.hashed(REQUESTS.kind, handle))


def failed(identity: Identity, redirect: str, state: str, refused: Refused) -> str:
    """The registered address with an error: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1."""
    told = {"error": refused.error, "error_description": refused.description}
    return answered(identity, redirect, state, told)


def answered(identity: Identity, redirect: str, state: str, told: Mapping[str, str]) -> str:
    """The registered address with what it is told; `iss` keeps apps from mixing servers up (RFC 9207)."""
    query = urlencode({**told, **({"state": state} if state else {}), "iss": places.issuer(identity)})
    return f"{redirect}{'&' if '?' in redirect else '?'}{query}"


async def _known(identity: Identity, told: Mapping[str, str]) -> tuple[Client, str]:
    try:
        client = await clients.active(identity, told.get("client_id", ""))
    except Refused as refused:
        raise Refused("invalid_client", refused.description) from None
    redirect = told.get("redirect_uri", "")
    if not clients.is_redirect(client, redirect):
        raise Refused("invalid_redirect_uri", "the address to return to is not one that the app registered")
    return client, redirect


async def _asked(identity: Identity, client: Client, redirect: str, told: Mapping[str, str]) -> Asked:
    _check_kind(client, told)
    _check_lengths(told)
    if not told.get("state"):
        raise Refused("invalid_request", "state is missing")
    if not places.same(told.get("aud", ""), places.fhir(identity)):
        raise Refused("invalid_request", f"aud must be {places.fhir(identity)}")
    return Asked(
        client=client.id,
        redirect=redirect,
        state=told["state"],
        scopes=await _scopes(identity, client, told),
        challenge=_challenge(told),
        nonce=told.get("nonce", ""),
        launch=told.get("launch", ""),
    )


def _check_kind(client: Client, told: Mapping[str, str]) -> None:
    if told.get("response_type") != "code":
        raise Refused("unsupported_response_type", "response_type must be code")
    if "authorization_code" not in client.grants:
        raise Refused("unauthorized_client", "this client acts by itself and for nobody")
    if told.get("response_mode", "query") != "query":
        raise Refused("invalid_request", "response_mode must be query")
    if any(name in told for name in SPECIAL):
        raise Refused("request_not_supported", "say it with plain parameters")
    if "none" in told.get("prompt", "").split():
        raise Refused("interaction_required", "the person is always asked")


def _check_lengths(told: Mapping[str, str]) -> None:
    for name, longest in LONGEST.items():
        if len(told.get(name, "")) > longest:
            raise Refused("invalid_request", f"{name} is longer than {longest} characters")


def _challenge(told: Mapping[str, str]) -> str:
    """PKCE: https://www.rfc-editor.org/rfc/rfc7636. Without a method it would be plain, which is none."""
    if told.get("code_challenge_method", "plain") != "S256":
        raise Refused("invalid_request", "code_challenge_method must be S256")
    challenge = told.get("code_challenge", "")
    if not CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "code_challenge must be the base64url of a SHA-256")
    return challenge


async def _scopes(identity: Identity, client: Client, told: Mapping[str, str]) -> tuple[str, ...]:
    """What the app can get at most. Refused when that is nothing, or the launch is not what it says."""
    asked: Iterable[str] = told.get("scope", "").split()
    found = scopes.of_contexts(scopes.intersection(asked, client.scopes), "patient", "user")
    if not found:
        raise Refused("invalid_scope", "nothing of what is asked can be given to this app")
    launch = await launches.find(identity, told["launch"]) if told.get("launch") else None
    if told.get("launch") and (launch is None or launch.client != client.id or "launch" not in found):
        raise Refused("invalid_request", "the launch is over, or is not this app's, or has no scope launch")
    if launch is None:
        found = tuple(each for each in found if each not in ("launch", "launch/encounter"))
    return found

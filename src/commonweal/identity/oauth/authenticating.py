"""How a client shows who it is at the token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-2.3."""

import hmac
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import unquote_plus

from commonweal.identity.house import Identity
from commonweal.identity.oauth import assertions, clients
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.keysets import Keysets
from commonweal.identity.oauth.refused import Refused, unauthenticated

WAYS = ("client_secret", "client_assertion")


async def client_of(
    identity: Identity, keysets: Keysets, form: Mapping[str, str], authorization: str = ""
) -> Client:
    """The client, in the way it was registered with and in one way only. Refused (invalid_client) else."""
    ways = [way for way in WAYS if way in form] + ([authorization] if authorization else [])
    if len(ways) > 1:
        raise Refused("invalid_request", "authenticate in one way, not in several")
    if "client_assertion" in form:
        client = await _by_assertion(identity, keysets, form)
    elif ways:
        client = await _by_secret(identity, *_credentials(form, authorization))
    else:
        client = await clients.active(identity, form.get("client_id", ""))
        if client.kind != "public":
            raise unauthenticated("this client must authenticate")
    if form.get("client_id", client.id) != client.id:
        raise unauthenticated("client_id is that of another client")
    return client


async def _by_assertion(identity: Identity, keysets: Keysets, form: Mapping[str, str]) -> Client:
    if form.get("client_assertion_type") != assertions.TYPE:
        raise unauthenticated(f"client_assertion_type must be {assertions.TYPE}")
    return await assertions.client_of(identity, keysets, form["client_assertion"])


async def _by_secret(identity: Identity, id: str, secret: str) -> Client:
    client = await clients.active(identity, id)
    if client.kind != "symmetric" or not client.secret:
        raise unauthenticated("this client does not authenticate by a secret")
    if not hmac.compare_digest(client.secret, clients.hashed_secret(identity, secret)):
        raise unauthenticated("the client's secret is not right")
    return client


def _credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    """Id and secret, form-encoded within the header of Basic as RFC 6749 has it."""
    if not authorization:
        return form.get("client_id", ""), form["client_secret"]
    scheme, _, told = authorization.partition(" ")
    try:
        id, separator, secret = b64decode(told.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        id, separator, secret = "", "", ""
    if scheme.lower() != "basic" or not separator:
        raise unauthenticated("the Authorization header holds no client id and secret")
    return unquote_plus(id), unquote_plus(secret)

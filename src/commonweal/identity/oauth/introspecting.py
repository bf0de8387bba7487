"""Asking about a token, and ending it: https://www.rfc-editor.org/rfc/rfc7662, https://www.rfc-editor.org/rfc/rfc7009.

https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

from collections.abc import Mapping
from typing import Any

from commonweal.identity.house import SECOND, Identity
from commonweal.identity.oauth import authenticating, bearer, clients, grants, issuing, places, whose
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import Grant
from commonweal.identity.oauth.keysets import Keysets
from commonweal.identity.oauth.refused import Refused

Json = dict[str, Any]
Form = Mapping[str, str]


async def introspect(identity: Identity, keysets: Keysets, form: Form, authorization: str = "") -> Json:
    """What a token is good for; no more than that it is not, when it is not. The asking client is one that may ask
    (`introspects`), and shows who it is as at the token endpoint or by an access token of its own. Refused else."""
    await _asking(identity, keysets, form, authorization)
    token = form.get("token", "")
    try:
        return await _access(identity, token)
    except Refused:
        return await _refresh(identity, token)


async def revoke(identity: Identity, keysets: Keysets, form: Form, authorization: str = "") -> None:
    """End what a refresh or access token comes from. Nothing happens to the token of another client, and nobody
    learns that there is one. Refused when the client does not show who it is."""
    client = await authenticating.client_of(identity, keysets, form, authorization)
    if "token" not in form:
        raise Refused("invalid_request", "token is missing")
    grant = await _grant(identity, form["token"])
    if grant is not None and grant.client == client.id:
        await grants.end(identity, grant.id)
        await identity.note(whose.system(client), "token-revoke", f"client-{client.id}")


async def _asking(identity: Identity, keysets: Keysets, form: Form, authorization: str) -> Client:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        client = (await bearer.held(identity, token.strip())).client
    else:
        client = await authenticating.client_of(identity, keysets, form, authorization)
    if not client.introspects:
        raise Refused("unauthorized_client", "this client may not ask about tokens", 403)
    return client


async def _access(identity: Identity, token: str) -> Json:
    found = await bearer.held(identity, token)
    claims = found.claims
    answer: Json = {
        "active": True,
        "token_type": "Bearer",
        **{name: claims[name] for name in ("scope", "client_id", "exp", "iat", "iss", "sub", "aud", "jti")},
        **issuing.context(found.grant),
    }
    if "fhirUser" in found.scopes and found.grant.user:
        answer["fhirUser"] = f"{places.fhir(identity)}/{found.grant.user}"
    return answer


async def _refresh(identity: Identity, token: str) -> Json:
    found = await grants.of_refresh(identity, token)
    if found is None or found[0].refresh != found[1]:
        return {"active": False}
    grant = found[0]
    try:
        await clients.active(identity, grant.client)
    except Refused:
        return {"active": False}
    return {
        "active": True,
        "scope": " ".join(grant.scopes),
        "client_id": grant.client,
        "exp": grant.until // SECOND,
        "iss": places.issuer(identity),
        "sub": issuing.subject(grant),
        **issuing.context(grant),
    }


async def _grant(identity: Identity, token: str) -> Grant | None:
    found = await grants.of_refresh(identity, token)
    if found is not None:
        return found[0]
    try:
        return (await bearer.held(identity, token)).grant
    except Refused:
        return None

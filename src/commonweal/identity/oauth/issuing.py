"""What an app gets: access token, context and identity: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-5."""

from typing import Any

from commonweal.identity.house import SECOND, Identity, fresh
from commonweal.identity.oauth import keys, places
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import ACCESS_SECONDS, Grant

Json = dict[str, Any]
ACCESS_TYPE = "at+jwt"


async def response(
    identity: Identity, client: Client, grant: Grant, scope: tuple[str, ...], refresh: str = ""
) -> Json:
    """The token response for these scopes of a grant, with its refresh token where there is one."""
    seconds = min(ACCESS_SECONDS, (grant.until - identity.now()) // SECOND)
    answer: Json = {
        "access_token": await _access(identity, grant, scope, seconds),
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": " ".join(scope),
        **context(grant),
    }
    if refresh:
        answer["refresh_token"] = refresh
    if "openid" in scope and grant.account:
        answer["id_token"] = await _identity(identity, client, grant, scope)
    return answer


def context(grant: Grant) -> Json:
    """What was open when the app was, as parameters of the response."""
    told: Json = {"patient": grant.patient, "encounter": grant.encounter, "intent": grant.intent}
    told = {name: value for name, value in told.items() if value}
    return {**told, "need_patient_banner": grant.banner} if grant.patient else told


def subject(grant: Grant) -> str:
    """Who the token is about: the person's account, or the system itself."""
    return grant.account or grant.client


async def _access(identity: Identity, grant: Grant, scope: tuple[str, ...], seconds: int) -> str:
    """https://www.rfc-editor.org/rfc/rfc9068"""
    now = identity.now() // SECOND
    claims = {
        "iss": places.issuer(identity),
        "aud": places.fhir(identity),
        "sub": subject(grant),
        "client_id": grant.client,
        "scope": " ".join(scope),
        "grant": grant.id,
        "iat": now,
        "exp": now + seconds,
        "jti": fresh(),
    }
    return await keys.sign(identity, claims, type=ACCESS_TYPE)


async def _identity(identity: Identity, client: Client, grant: Grant, scope: tuple[str, ...]) -> str:
    """https://openid.net/specs/openid-connect-core-1_0.html#IDToken, with SMART's `fhirUser`."""
    now = identity.now() // SECOND
    claims: Json = {
        "iss": places.issuer(identity),
        "aud": client.id,
        "sub": subject(grant),
        "iat": now,
        "exp": now + ACCESS_SECONDS,
    }
    if grant.nonce:
        claims["nonce"] = grant.nonce
    if "fhirUser" in scope and grant.user:
        claims["fhirUser"] = f"{places.fhir(identity)}/{grant.user}"
    if "profile" in scope and grant.name:
        claims["name"] = grant.name
    return await keys.sign(identity, claims, algorithm=client.signs)

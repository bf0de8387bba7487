"""A client shows who it is by a signed assertion: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html."""

from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import extract_compact

from commonweal.identity.drawers import Taken
from commonweal.identity.house import SECOND, Identity
from commonweal.identity.oauth import clients, places
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.keysets import Keysets
from commonweal.identity.oauth.refused import Refused, unauthenticated

Json = dict[str, Any]
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KIND = "assertion"
KEY_TYPES = {"RS384": "RSA", "ES384": "EC"}
LONGEST = 300
SKEW = 30
"""Seconds by which clocks may differ."""
CHARACTERS = 8192


async def client_of(identity: Identity, keysets: Keysets, assertion: str) -> Client:
    """Whose assertion that is, which cannot be used again. Refused (invalid_client) when it is nobody's."""
    header, told = _read(assertion)
    client = await clients.active(identity, str(told.get("iss")))
    if client.kind != "asymmetric" or told.get("sub") != client.id:
        raise unauthenticated("iss and sub of the assertion must be the client's own id")
    key = await _key(identity, keysets, client, header)
    claims = _verified(assertion, key, header["alg"])
    until = _check(identity, claims)
    await _once(identity, client, claims["jti"], until)
    return client


def _read(assertion: str) -> tuple[Json, Json]:
    """Header and claims, not believed yet."""
    try:
        if len(assertion) > CHARACTERS:
            raise ValueError
        signature = extract_compact(assertion.encode("ascii"))
        return signature.headers(), msgspec.json.decode(signature.payload, type=Json)
    except (JoseError, ValueError, LookupError, TypeError, msgspec.DecodeError):
        raise unauthenticated("the assertion is not a signed JWT") from None


async def _key(identity: Identity, keysets: Keysets, client: Client, header: Json) -> ECKey | RSAKey:
    """The one key that the header names, by the algorithm of the profile; never one that the assertion brings."""
    type = KEY_TYPES.get(str(header.get("alg")))
    if type is None or header.get("typ", "JWT") != "JWT":
        raise unauthenticated("sign the assertion, a JWT, with RS384 or ES384")
    if "jku" in header and (not client.jwks_uri or header["jku"] != client.jwks_uri):
        raise unauthenticated("jku is not the address of keys that was registered")
    keys = await keysets.of(identity, client)
    fitting = [each for each in keys if each.get("kid") == header.get("kid", "") and each.get("kty") == type]
    if len(fitting) != 1:
        raise unauthenticated("kid must name exactly one of the client's keys")
    try:
        return RSAKey.import_key(fitting[0]) if type == "RSA" else ECKey.import_key(fitting[0])
    except (JoseError, ValueError, TypeError, LookupError):
        raise unauthenticated("the client's key cannot be used") from None


def _verified(assertion: str, key: ECKey | RSAKey, algorithm: str) -> Json:
    try:
        return dict(jwt.decode(assertion, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError, TypeError, LookupError):
        raise unauthenticated("the signature of the assertion is not the client's") from None


def _check(identity: Identity, claims: Json) -> int:
    """RFC 7523 section 3. The microsecond at which the assertion expires."""
    now = identity.now() // SECOND
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and places.same(each, places.token(identity)) for each in audiences):
        raise unauthenticated(f"aud must be {places.token(identity)}")
    until = claims.get("exp")
    if not isinstance(until, int) or not now < until <= now + LONGEST + SKEW:
        raise unauthenticated("exp must be within the next five minutes")
    for name in ("nbf", "iat"):
        if not isinstance(claims.get(name, 0), int | float) or claims.get(name, 0) > now + SKEW:
            raise unauthenticated(f"{name} lies in the future")
    if not isinstance(claims.get("jti"), str) or not 0 < len(claims["jti"]) <= 256:
        raise unauthenticated("jti must name the assertion, in at most 256 characters")
    return until * SECOND


async def _once(identity: Identity, client: Client, jti: str, until: int) -> None:
    id = identity.hashed(KIND, f"{client.id} {jti}")
    try:
        await identity.drawers.put(KIND, id, b"", until=until, version=0)
    except Taken:
        raise unauthenticated("the assertion was used before (jti)") from None


__all__ = ["TYPE", "Refused", "client_of"]

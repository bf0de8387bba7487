"""The keys this server signs with, and their publication: https://www.rfc-editor.org/rfc/rfc7517.

Of each algorithm there is one entry, newest key first: the newest signs, the others are published until the last of
what they signed has expired.
"""

from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import extract_compact

from commonweal.identity.drawers import FOREVER, Taken
from commonweal.identity.house import DAY, MINUTE, Identity
from commonweal.identity.oauth.refused import Refused

Json = dict[str, Any]
KIND = "signing-keys"
LONGEST = 10 * MINUTE
"""Nothing that is signed here lives longer, in microseconds."""
ROTATED_AFTER = 90 * DAY
RSA_BITS = 2048
TOKEN_CHARACTERS = 8192
ACCESS = "ES384"
"""Signs access tokens."""
ALGORITHMS = ("ES384", "RS384", "RS256")
"""RS256 is what SMART asks of id tokens (scopes-and-launch-context.html#scopes-for-requesting-identity-data)."""


class Key(msgspec.Struct, frozen=True):
    """A private key as a JWK; `made` and `until` (published until before) in microseconds."""

    jwk: Json
    made: int
    until: int = FOREVER


async def sign(identity: Identity, claims: Json, *, algorithm: str = ACCESS, type: str = "JWT") -> str:
    """The claims as a signed JWT."""
    newest = (await _ring(identity, algorithm))[0]
    header = {"alg": algorithm, "kid": newest.jwk["kid"], "typ": type}
    return jwt.encode(header, claims, _key(newest.jwk), algorithms=[algorithm])


async def verified(identity: Identity, token: str, *, type: str) -> Json:
    """The claims of a token that a published key of ours signed. Refused for any other; times are not judged."""
    try:
        if len(token) > TOKEN_CHARACTERS:
            raise ValueError
        header = extract_compact(token.encode("ascii")).headers()
        algorithm = header["alg"]
        if header["typ"] != type or algorithm not in ALGORITHMS:
            raise ValueError
        key = await _published(identity, algorithm, header["kid"])
        return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError, LookupError, TypeError):
        raise Refused("invalid_token", "the token is not one of ours", 401) from None


async def published(identity: Identity) -> Json:
    """The JSON Web Key Set of what is signed here."""
    now = identity.now()
    rings = [(algorithm, await _ring(identity, algorithm)) for algorithm in ALGORITHMS]
    return {
        "keys": [
            {**_key(each.jwk).as_dict(private=False), "use": "sig", "alg": algorithm}
            for algorithm, ring in rings
            for each in ring
            if now < each.until
        ]
    }


async def rotate(identity: Identity, *, at_once: bool = False) -> None:
    """New keys sign from now on; the old ones are published until what they signed is over, `at_once` no more
    (when one may have been stolen)."""
    for algorithm in ALGORITHMS:
        await _renew(identity, algorithm, at_once)


async def keep_fresh(identity: Identity) -> bool:
    """Rotate what has signed for ninety days; True when something was. For the worker, hourly."""
    due = False
    for algorithm in ALGORITHMS:
        newest = (await _ring(identity, algorithm))[0]
        if identity.now() - newest.made > ROTATED_AFTER:
            await _renew(identity, algorithm, False)
            due = True
    return due


async def _published(identity: Identity, algorithm: str, kid: str) -> ECKey | RSAKey:
    now = identity.now()
    ring = await _ring(identity, algorithm)
    good = [each.jwk for each in ring if each.jwk["kid"] == kid and now < each.until]
    return _key(good[0])


async def _ring(identity: Identity, algorithm: str) -> list[Key]:
    """The keys of an algorithm, made when there are none; of two processes making them one prevails."""
    entry = await identity.drawers.get(KIND, algorithm)
    if entry is not None:
        return msgspec.json.decode(entry.data, type=list[Key])
    ring = [await _made(identity, algorithm)]
    try:
        await identity.drawers.put(KIND, algorithm, msgspec.json.encode(ring), version=0)
    except Taken:
        return await _ring(identity, algorithm)
    return ring


async def _renew(identity: Identity, algorithm: str, at_once: bool) -> None:
    entry = await identity.drawers.get(KIND, algorithm)
    if entry is None:
        return
    now = identity.now()
    end = now if at_once else now + LONGEST
    old = msgspec.json.decode(entry.data, type=list[Key])
    kept = [Key(each.jwk, each.made, min(each.until, end)) for each in old]
    ring = [await _made(identity, algorithm), *(each for each in kept if now < each.until)]
    try:
        await identity.drawers.put(KIND, algorithm, msgspec.json.encode(ring), version=entry.version)
    except Taken:  # by another rotation, which may have left in force what this one throws away
        await _renew(identity, algorithm, at_once)


async def _made(identity: Identity, algorithm: str) -> Key:
    made: Json = await identity.aside(_generated, algorithm)
    return Key(made, identity.now())


def _generated(algorithm: str) -> Json:
    key = ECKey.generate_key("P-384") if algorithm.startswith("ES") else RSAKey.generate_key(RSA_BITS)
    return {**key.as_dict(private=True), "kid": key.thumbprint()}


def _key(jwk: Json) -> ECKey | RSAKey:
    return ECKey.import_key(jwk) if jwk["kty"] == "EC" else RSAKey.import_key(jwk)

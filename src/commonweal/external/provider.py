"""A provider of OpenID Connect as we see it: its discovery document, its keys, its token endpoint.

https://openid.net/specs/openid-connect-discovery-1_0.html. Everything it says is bounded, fetched by TLS, and believed
only if its issuer is the one that was set.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from commonweal.fhir.outcome import Problem

Json = dict[str, Any]
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures only: no `none`, and nothing keyed with a secret, which a public key could pass for."""
SECONDS = 10.0
ANSWER_BYTES = 500_000
FRESH_SECONDS = 3600
"""For which documents and keys are believed without asking again."""
AGAIN_SECONDS = 30
"""After which a key that is not known may make us ask for the keys again."""
LEEWAY = 60
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Refused(Exception):
    """What came back is not what a sign-in brings; the reason is for the audit, not for whoever came."""


class Provider:
    """One issuer at which we are known as `client`; `redirect` is where it sends people back to."""

    def __init__(self, issuer: str, client: str, secret: str, redirect: str) -> None:
        _check(issuer, "the issuer")
        self.issuer, self.client, self.redirect = issuer, client, redirect
        self._secret = secret
        self._http = httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False)
        self._document: Json = {}
        self._keys: KeySet | None = None
        self._asked = {"document": -1e9, "keys": -1e9}

    @classmethod
    def opened(cls, issuer: str, client: str, secret_file: str, base_url: str) -> "Provider | None":
        """From the settings; None when no issuer is set. ValueError when they do not go together."""
        if not issuer:
            return None
        if not client or not base_url:
            raise ValueError("sign-in by a provider needs COMMONWEAL_OIDC_CLIENT and COMMONWEAL_BASE_URL too")
        try:
            secret = Path(secret_file).read_text("utf-8").strip() if secret_file else ""
        except OSError as error:
            raise ValueError(f"the file {secret_file} cannot be read ({error.strerror})") from error
        return cls(issuer, client, secret, f"{base_url.rstrip('/')}/sign-in/provider")

    async def authorize(self, query: str) -> str:
        """The address at which somebody signs in. Problem 503 when the provider cannot be asked for it."""
        try:
            place = str((await self._discovered())["authorization_endpoint"])
        except (Refused, KeyError):
            raise Problem.of("cw-unavailable", why="the sign-in provider does not answer") from None
        return f"{place}{'&' if '?' in place else '?'}{query}"

    async def claims(self, params: Mapping[str, str], verifier: str, nonce: str, now: int) -> Json:
        """Who the provider says came back; Refused when it does not say so beyond doubt. `now` in seconds."""
        if params.get("iss", self.issuer) != self.issuer:  # RFC 9207: an answer of another provider
            raise Refused("the answer is of another issuer")
        if "error" in params or not params.get("code"):
            raise Refused("the provider refused")
        token = await self._exchanged(params["code"], verifier)
        claims = await self._verified(token)
        self._check_claims(claims, nonce, now)
        return claims

    async def close(self) -> None:
        """Let go of its connections."""
        await self._http.aclose()

    async def _exchanged(self, code: str, verifier: str) -> str:
        place = (await self._discovered()).get("token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": verifier,
        }
        login = (quote(self.client, safe=""), quote(self._secret, safe="")) if self._secret else None
        form |= {} if login else {"client_id": self.client}
        told = await self._asked_for("POST", place, data=form, auth=login)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise Refused("the provider gave no id token")
        return token

    async def _verified(self, token: str) -> Json:
        for again in (False, True):
            try:
                return dict(jwt.decode(token, await self._key_set(again), algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, TypeError, LookupError) as error:
                fault = type(error).__name__
        raise Refused(f"the id token is not signed by the provider ({fault})")

    def _check_claims(self, claims: Json, nonce: str, now: int) -> None:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, issued = claims.get("exp"), claims.get("iat")
        wrong = [
            name
            for name, right in (
                ("iss", claims.get("iss") == self.issuer),
                ("aud", self.client in audiences),
                ("azp", claims.get("azp", self.client) == self.client),
                ("aud without azp", len(audiences) == 1 or "azp" in claims),
                ("exp", isinstance(expires, int | float) and now < expires + LEEWAY),
                ("iat", isinstance(issued, int | float) and issued < now + LEEWAY),
                ("nonce", claims.get("nonce") == nonce),
                ("sub", isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) < 256),
            )
            if not right
        ]
        if wrong:
            raise Refused(f"the id token's {wrong[0]} is not right")

    async def _key_set(self, again: bool) -> KeySet:
        age = time.monotonic() - self._asked["keys"]
        if self._keys is None or age > FRESH_SECONDS or (again and age > AGAIN_SECONDS):
            told = await self._asked_for("GET", (await self._discovered()).get("jwks_uri"))
            self._keys = KeySet.import_key_set(cast(Any, told))
            self._asked["keys"] = time.monotonic()
        return self._keys

    async def _discovered(self) -> Json:
        if time.monotonic() - self._asked["document"] > FRESH_SECONDS:
            place = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            document = await self._asked_for("GET", place)
            if document.get("issuer") != self.issuer:
                raise Refused("the discovery document is of another issuer")
            self._document, self._asked["document"] = document, time.monotonic()
        return self._document

    async def _asked_for(self, method: str, place: object, **more: Any) -> Json:
        """A JSON object from the provider; Refused when it gives none."""
        try:
            _check(str(place), "an endpoint of the provider")
            async with self._http.stream(method, str(place), **more) as answer:
                content = b""
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > ANSWER_BYTES:
                        raise Refused("the provider's answer is too long")
            told = msgspec.json.decode(content)
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(f"the provider cannot be asked ({type(error).__name__})") from None
        if not answer.is_success or not isinstance(told, dict):
            raise Refused(f"the provider answered {answer.status_code}")
        return told


def _check(address: str, what: str) -> None:
    parts = urlsplit(address)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ValueError(f"{what} must have an https address")

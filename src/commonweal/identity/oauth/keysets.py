"""The public keys of clients: those registered, or those at the address that was registered, fetched within limits.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#signature-verification
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from commonweal.identity.house import SECOND, Identity
from commonweal.identity.oauth import places
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.refused import Refused, unauthenticated

Json = dict[str, Any]
MAX_AGE = re.compile(r"(?:^|[ ,])max-age=\"?([0-9]{1,9})")
LONGEST = 3600
UNSAID = 60
"""Seconds for which a set is kept at most, and where its server says nothing."""
FAILED = 10
"""Seconds until an address that gave nothing is asked again: nobody makes us knock there all the time."""
KEPT = 1000
BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a GET found; `cache_control` is that header, "" when absent."""

    status: int
    body: bytes
    cache_control: str = ""


Fetch = Callable[[str], Awaitable[Fetched]]
"""One GET without redirects, of at most BYTES, within seconds, never to a private address; OSError or ValueError
else. external/keysets.py fulfils it."""


class Keysets:
    """Key sets by address, each kept as long as its server allows and an hour at most."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, tuple[int, Json]] = {}

    async def of(self, identity: Identity, client: Client) -> list[Json]:
        """The keys of a client. Refused when they cannot be had."""
        if client.jwks is not None:
            return _keys(client.jwks)
        now = identity.now()
        until, kept = self._kept.get(client.jwks_uri, (0, {}))
        if now < until:
            return _keys(kept)
        try:
            fetched = await self._got(client.jwks_uri)
            told = _decoded(fetched.body)
        except Refused:
            self._keep(client.jwks_uri, now + FAILED * SECOND, {})
            raise
        self._keep(client.jwks_uri, now + _seconds(fetched.cache_control) * SECOND, told)
        return _keys(told)

    async def _got(self, address: str) -> Fetched:
        check_address(address)
        try:
            fetched = await self._fetch(address)
        except (OSError, ValueError):
            raise unauthenticated("the keys of the app could not be fetched") from None
        if fetched.status != 200 or len(fetched.body) > BYTES:
            raise unauthenticated("the keys of the app could not be fetched")
        return fetched

    def _keep(self, address: str, until: int, told: Json) -> None:
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[address] = (until, told)


def check_address(address: str) -> None:
    """https, or http on this very machine. Refused else."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    is_fit = parts.scheme == "https" or (parts.scheme == "http" and places.is_loopback(host))
    if not host or not is_fit or parts.username is not None or parts.fragment:
        raise Refused("invalid_client_metadata", "jwks_uri is an https address")


def _decoded(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise unauthenticated("what is at jwks_uri is not a JSON Web Key Set") from None


def _keys(told: Json) -> list[Json]:
    keys = told.get("keys")
    return [each for each in keys if isinstance(each, dict)] if isinstance(keys, list) else []


def _seconds(cache_control: str) -> int:
    """For how long the answer may be used again: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2."""
    told = cache_control.lower()
    if "no-store" in told or "no-cache" in told:
        return 0
    found = MAX_AGE.search(told)
    return min(int(found[1]), LONGEST) if found else UNSAID

"""A gateway to phones that takes JSON by HTTP, described by a template: no provider is built in.

The template is a JSON file such as
    {"body": {"mobile": "{to}", "content": "{text}", "kind": "{channel}"}, "accepted": {"code": "0"}}
`body` is sent with the words in braces filled in; `accepted`, where there is one, is what the answer must hold besides
a status of 2xx, for gateways that say no with a 200. A header with the secret stands in a file of its own.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from commonweal.identity.house import Message

SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BUSY = (408, 425, 429)
ANSWER_BYTES = 100_000


class Undelivered(Exception):
    """The gateway did not take it; `again`: it may take it later. Its words name neither number nor text."""

    def __init__(self, why: str, again: bool) -> None:
        super().__init__(why)
        self.again = again


class Gateway:
    """One provider's address, the shape of what it takes, and the header that lets us in."""

    def __init__(
        self,
        address: str,
        body: Any,
        accepted: Mapping[str, Any],
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        _check_address(address)
        self._address = address
        self._body = body
        self._accepted = accepted
        # Neither redirects nor proxies of the environment: the secret goes to this address and no other.
        self._client = httpx.AsyncClient(
            timeout=SECONDS,
            headers=dict(headers),
            transport=transport,
            trust_env=False,
            follow_redirects=False,
        )

    @classmethod
    def opened(cls, address: str, template: str, header_file: str) -> "Gateway":
        """From the two files; ValueError when one of them is not what it should be."""
        try:
            shape = json.loads(Path(template).read_text("utf-8"))
            body = shape["body"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"the template of the gateway, {template or 'none'}, cannot be used") from error
        if "{to}" not in json.dumps(body) or "{text}" not in json.dumps(body):
            raise ValueError(f"the template {template} says neither {{to}} nor {{text}}")
        return cls(address, body, shape.get("accepted", {}), _header(header_file))

    async def deliver(self, message: Message, key: str) -> None:
        """Hand it over; Undelivered when it was not taken."""
        words = {"{to}": message.to, "{text}": message.text, "{channel}": message.channel, "{key}": key}
        try:
            answer = await self._client.post(
                self._address, json=_filled(self._body, words), headers={"Idempotency-Key": key}
            )
        except httpx.HTTPError as error:
            raise Undelivered(f"the gateway cannot be reached ({type(error).__name__})", True) from None
        if not answer.is_success:
            again = answer.status_code >= 500 or answer.status_code in BUSY
            raise Undelivered(f"the gateway answered {answer.status_code}", again)
        if self._accepted and not self._is_accepted(answer.content):
            raise Undelivered("the gateway took the request but not the message", False)

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.aclose()

    def _is_accepted(self, content: bytes) -> bool:
        try:
            told = json.loads(content[:ANSWER_BYTES])
        except ValueError:
            return False
        return isinstance(told, dict) and all(told.get(k) == v for k, v in self._accepted.items())


def _filled(shape: Any, words: Mapping[str, str]) -> Any:
    """The shape with its words filled in; values are put in whole, so that none of them changes the shape."""
    if isinstance(shape, dict):
        return {key: _filled(value, words) for key, value in shape.items()}
    if isinstance(shape, list):
        return [_filled(value, words) for value in shape]
    if isinstance(shape, str):
        head, brace, tail = shape.partition("{")
        word, closed, rest = tail.partition("}")
        if brace and closed and f"{{{word}}}" in words:
            return head + words[f"{{{word}}}"] + _filled(rest, words)
    return shape


def _header(path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        name, colon, value = Path(path).read_text("ascii").strip().partition(":")
    except (OSError, ValueError) as error:
        raise ValueError(f"the file of the gateway's header, {path}, cannot be read") from error
    if not colon or "\n" in value:
        raise ValueError(f"{path} must hold one header, as in: Authorization: Bearer …")
    return {name.strip(): value.strip()}


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise ValueError("the gateway to phones must have an https address")

"""Where a page ended, as text that only we can have written."""

import base64
import hmac
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from commonweal.fhir.outcome import Problem

SIZE = 12


class Cursors:
    """Writes and reads cursors. `about` ties a cursor to its search: it means nothing in another one."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(b"cursors", key=key, digest_size=32).digest()

    def write(self, about: str, place: Sequence[Any]) -> str:
        text = msgspec.json.encode(place)
        return base64.urlsafe_b64encode(self._sign(about, text) + text).decode().rstrip("=")

    def read(self, about: str, cursor: str) -> list[Any]:
        """Problem 400 for what we have not written, or not for this search."""
        try:
            data = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        except ValueError:
            data = b""
        text = data[SIZE:]
        if not hmac.compare_digest(self._sign(about, text), data[:SIZE]):
            raise Problem.invalid("this page's address is not one of ours", "_cursor")
        place: list[Any] = msgspec.json.decode(text)
        return place

    def _sign(self, about: str, text: bytes) -> bytes:
        return blake2b(
            about.encode("utf-8", "replace") + b"\0" + text, key=self._key, digest_size=SIZE
        ).digest()

"""One request, read from ASGI or from an entry of a Bundle, with nothing parsed before it is asked for."""

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from commonweal.api.limits import Limits
from commonweal.api.negotiate import FORM, Preference, check_media, preference
from commonweal.fhir.outcome import Problem

if TYPE_CHECKING:
    from commonweal.access.agent import Agent
    from commonweal.api.site import Site

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Pairs = list[tuple[str, str]]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
RESOURCE_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
WHOLE_ANSWER = frozenset({"_format", "_pretty"})


class Request:
    """What is asked: method, path segments below the base, raw query, headers, body, and who asks."""

    __slots__ = ("_pairs", "agent", "base", "body", "headers", "id", "method", "query", "segments", "site")

    def __init__(
        self,
        site: "Site",
        method: str,
        segments: tuple[str, ...],
        query: bytes,
        headers: Mapping[bytes, bytes],
        *,
        id: str,
        base: str,
    ) -> None:
        self.site = site
        self.method = method
        self.segments = segments
        self.query = query
        self.headers = headers
        self.id = id
        self.base = base
        self.body = b""
        self.agent: Agent | None = None
        self._pairs: Pairs | None = None

    def take(self, body: bytes) -> None:
        """The body has come; a form's parameters count from now on."""
        self.body, self._pairs = body, None

    @property
    def pairs(self) -> Pairs:
        """The parameters of the address, then those of a form body; Problem 400 when there are too many."""
        if self._pairs is None:
            self._pairs = parameters(self.query, self.site.limits) if self.query else []
            if self.body and self.method == "POST" and self.segments[-1:] == ("_search",):
                check_media(self.headers.get(b"content-type", b""), FORM)
                self._pairs += parameters(self.body, self.site.limits)
        return self._pairs

    @property
    def asked(self) -> Pairs:
        """The parameters without those that say how the whole answer is written."""
        return [pair for pair in self.pairs if pair[0] not in WHOLE_ANSWER]

    def value(self, name: str) -> str | None:
        """The last value of one parameter, if it is there."""
        return next((value for key, value in reversed(self.pairs) if key == name), None)

    def header(self, name: bytes) -> str:
        """One header as text, empty when absent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def preference(self) -> Preference:
        """What the Prefer header says."""
        return preference(self.headers.get(b"prefer", b""))


def parameters(query: bytes, limits: Limits) -> Pairs:
    """Names and values of a query string or form; Problem 400 when it is not UTF-8 or holds too many."""
    try:
        return parse_qsl(
            query.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=limits.parameters,
        )
    except UnicodeError as error:
        raise Problem.invalid(f"the parameters are not UTF-8 ({error})") from error
    except ValueError as error:
        raise Problem.of("cw-too-many", limit=limits.parameters, what="parameters") from error


def segments_of(path: str) -> tuple[str, ...]:
    """The parts of a path below the base."""
    return tuple(path.strip("/").split("/")) if path.strip("/") else ()


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """The whole body, unpacked; Problem 413 as soon as it is too large, 408 when it does not come in time."""
    stated = headers.get(b"content-length", b"0")
    if stated.isdigit() and len(stated) < 19 and int(stated) > limits.body_bytes:
        raise Problem.too_large(limits.body_bytes)
    try:
        async with asyncio.timeout(limits.body_seconds):
            body = await _collected(receive, limits.body_bytes)
    except TimeoutError:
        raise Problem.of("cw-slow-body", seconds=limits.body_seconds) from None
    coding = headers.get(b"content-encoding")
    return body if coding in (None, b"identity") else unpacked(body, coding or b"", limits)


async def _collected(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise Problem.too_large(limit)
        return body
    parts, length = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise Problem.invalid("the caller went away before the body was whole")
        part = message.get("body", b"")
        length += len(part)
        if length > limit:
            raise Problem.too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def unpacked(body: bytes, coding: bytes, limits: Limits) -> bytes:
    """A gzip body, unpacked no further than the limit; Problem 413 beyond it, 415 for any other coding."""
    if coding.strip().lower() not in (b"gzip", b"x-gzip"):
        raise Problem.of("cw-unsupported-media-type", got=f"a body coded as {coding.decode('latin-1')[:60]}")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, limits.body_bytes + 1)
    except zlib.error as error:
        raise Problem.invalid("the body is not gzip, though it says so") from error
    if len(plain) > limits.body_bytes:
        raise Problem.too_large(limits.body_bytes)
    if not unpacker.eof:
        raise Problem.invalid("the gzip body ends too early")
    return plain

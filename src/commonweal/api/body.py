"""The body of a request, read as it comes and no further than the limits."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from commonweal.api.limits import Limits
from commonweal.fhir.outcome import Problem

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


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

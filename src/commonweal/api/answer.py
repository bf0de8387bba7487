"""What is sent back: a status, some headers and a body of ready bytes."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import msgspec

from commonweal.api.limits import Limits
from commonweal.fhir import codec
from commonweal.fhir.outcome import Issue, Problem, outcome
from commonweal.platform.ports import Stored

Header = tuple[bytes, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]

FHIR_JSON = b"application/fhir+json; charset=utf-8"


class Answer:
    """One answer before it is sent. `version` and `location` are kept as text too, for Bundle entries.

    `stream`: what is too long for a body, a chunk at a time; its headers say all about it.
    """

    __slots__ = ("body", "etag", "headers", "location", "media", "modified", "status", "stream")

    def __init__(self, status: int, body: bytes = b"", media: bytes = FHIR_JSON) -> None:
        self.status = status
        self.body = body
        self.media = media
        self.etag = ""
        self.modified: int | None = None
        self.location = ""
        self.headers: list[Header] = []
        self.stream: AsyncIterator[bytes] | None = None

    def all_headers(self, request_id: str) -> list[Header]:
        """The headers as ASGI wants them, without those of the body's length and coding."""
        headers = [(b"x-request-id", request_id.encode("ascii")), *self.headers]
        if self.body:
            headers.append((b"content-type", self.media))
        if self.etag:
            headers.append((b"etag", self.etag.encode("ascii")))
        if self.modified is not None:
            headers.append((b"last-modified", http_date(self.modified // 1_000_000)))
        if self.location:
            headers.append((b"location", self.location.encode("ascii")))
        return headers


def of(stored: Stored, status: int = 200) -> Answer:
    """A resource as it is stored, with its version and time: https://hl7.org/fhir/R4/http.html#versionaware."""
    answer = Answer(status, stored.body)
    answer.etag = f'W/"{stored.version}"'
    answer.modified = stored.updated
    return answer


def refusal(problem: Problem) -> Answer:
    """A problem as an OperationOutcome with its status."""
    answer = told(problem.issues, problem.status)
    if problem.status == 401:
        answer.headers.append((b"www-authenticate", b"Bearer"))
    if problem.retry_after or problem.status in (429, 503):
        answer.headers.append((b"retry-after", str(problem.retry_after or 1).encode()))
    return answer


def told(issues: Iterable[Issue], status: int = 200) -> Answer:
    """An OperationOutcome; what callers wrote is quoted in it with nothing invisible left."""
    return Answer(status, codec.encode(outcome(map(_quotable, issues))))


def _quotable(issue: Issue) -> Issue:
    if issue.diagnostics.isprintable() and (issue.expression or "").isprintable():
        return issue
    place = issue.expression and _visible(issue.expression)
    return msgspec.structs.replace(issue, diagnostics=_visible(issue.diagnostics), expression=place)


def _visible(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> bytes:
    """A time as HTTP headers write it: https://www.rfc-editor.org/rfc/rfc9110#name-date-time-formats."""
    return formatdate(seconds, usegmt=True).encode("ascii")


async def send_answer(
    answer: Answer, send: Send, request_id: str, limits: Limits, *, gzipped: bool, bodiless: bool
) -> None:
    """Send it; a long body is compressed when the caller takes gzip, a HEAD gets the headers only."""
    headers, body = answer.all_headers(request_id), answer.body
    if answer.stream is not None:
        await _send_stream(answer.status, headers, answer.stream, send, bodiless)
        return
    if gzipped and len(body) >= limits.gzip_from:
        body = await _compressed(body, limits)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    if answer.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else body})


async def _send_stream(
    status: int, headers: list[Header], stream: AsyncIterator[bytes], send: Send, bodiless: bool
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if not bodiless:
        async for chunk in stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _compressed(body: bytes, limits: Limits) -> bytes:
    if len(body) < limits.threaded_from:
        return gzip.compress(body, compresslevel=1)
    return await asyncio.to_thread(gzip.compress, body, compresslevel=1)


def text(body: str, media: Sequence[str] = ("text/html", "utf-8")) -> Answer:
    """A page of text for people."""
    return Answer(200, body.encode(), f"{media[0]}; charset={media[1]}".encode())

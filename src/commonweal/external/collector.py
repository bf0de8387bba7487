"""Ships the sealed audit to a collector elsewhere: in order, at least once, whoever is down for however long.

A collector that keeps what it is sent convicts whoever rewrites the chain as a whole. It is sent lines of JSON, each
{"row": …} or {"seal": …}; a batch may come twice, so it keeps one row of each (xid, seq). Syslog (RFC 5425) is not
offered: it acknowledges nothing, so rows could be lost without either side noticing.
"""

import asyncio
import hashlib
import hmac
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

from commonweal.platform.journal import Batch, Shipping

log = structlog.get_logger()
ROWS = 1000
"""Rows of one batch."""
SECONDS = 10.0
"""How long a collector may take for one batch; shorter than the lease of whoever ships."""
FIRST, LONGEST = 1.0, 300.0
"""Seconds until the first try again, doubled up to the longest."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Outlet(Protocol):
    """Where batches go. `name` keeps the position: another collector begins at the beginning."""

    name: str

    async def send(self, lines: bytes, last: str) -> None:
        """Return once they are kept there; raise whatever kept them from being so. `last`: the last row's place."""


class Posted:
    """A collector that takes POST of application/x-ndjson and answers 2xx once it has kept the lines.

    X-Commonweal-Signature is "t=<seconds>,v1=<hex>": HMAC-SHA256 under the shared key of "<seconds>.<body>".
    """

    def __init__(self, address: str, key: bytes, client: httpx.AsyncClient | None = None) -> None:
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("a collector is reached by https://; plain http:// only on this machine")
        if len(key) < 16:
            raise ValueError("the key shared with the collector is shorter than 16 bytes")
        self.name = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}{parts.path}"
        self._address = address
        self._key = key
        self._client = client or httpx.AsyncClient(timeout=SECONDS, follow_redirects=False)

    async def send(self, lines: bytes, last: str) -> None:
        seconds = str(int(time.time()))
        signed = hmac.new(self._key, seconds.encode() + b"." + lines, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-ndjson",
            "x-commonweal-last": last,
            "x-commonweal-signature": f"t={seconds},v1={signed}",
        }
        answer = await self._client.post(self._address, content=lines, headers=headers)
        if not answer.is_success:
            raise ConnectionError(f"the collector answered {answer.status_code}")


class Kept:
    """A folder with one file a day (UTC), only ever appended to: for a write-once disk, or an agent that reads it."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = f"file:{folder.absolute()}"
        self._folder = folder
        self._now = now

    async def send(self, lines: bytes, last: str) -> None:
        await asyncio.to_thread(self._append, lines)

    def _append(self, lines: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"audit-{self._now():%Y-%m-%d}.ndjson"
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            if _is_torn(descriptor):
                lines = b"\n" + lines  # what a crash left half written stays a line of its own
            file.write(lines)
            file.flush()
            os.fsync(descriptor)


def _is_torn(descriptor: int) -> bool:
    """Does the file end in the middle of a line?"""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def outlet(address: str, key_file: str = "") -> Outlet | None:
    """The outlet of a setting: "" (None), "https://…" with the file of the shared key, or a folder
    ("file:/var/log/audit"). ValueError when it is none of these."""
    if not address:
        return None
    if address.startswith("file:"):
        return Kept(Path(address.removeprefix("file:")))
    try:
        key = Path(key_file).read_bytes().strip() if key_file else b""
    except OSError as error:
        raise ValueError(f"the file of the collector's key cannot be read: {error.strerror}") from None
    return Posted(address, key)


class Collector:
    """Ships batch after batch while it holds `lease`; after a failure it waits, longer each time, and nobody else
    does: the platform never hears of it but by the log."""

    def __init__(
        self,
        shipping: Shipping,
        outlet: Outlet,
        lease: Callable[[], Awaitable[object | None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shipping = shipping
        self._outlet = outlet
        self._lease = lease
        self._clock = clock
        self._wait = 0.0
        self._not_before = 0.0

    async def tick(self) -> bool:
        """Ship one batch, if it is time to; is there more to do at once?"""
        if self._clock() < self._not_before or await self._lease() is None:
            return False
        batch = await self._shipping.batch(self._outlet.name, ROWS)
        if batch is None:
            return False
        try:
            await asyncio.wait_for(self._outlet.send(lines(batch), "{}-{}".format(*batch.ends)), SECONDS)
        except (OSError, httpx.HTTPError, TimeoutError) as error:
            self._failed(error)
            return False
        self._succeeded()
        return await self._shipping.shipped(self._outlet.name, batch)

    def _failed(self, error: Exception) -> None:
        if not self._wait:
            log.warning("the audit collector is away", collector=self._outlet.name, error=repr(error)[:200])
        self._wait = min(max(FIRST, self._wait * 2), LONGEST)
        self._not_before = self._clock() + self._wait

    def _succeeded(self) -> None:
        if self._wait:
            log.info("the audit collector is back", collector=self._outlet.name)
        self._wait = self._not_before = 0.0


def lines(batch: Batch) -> bytes:
    """One line a row, then the seal over them where it ends here."""
    told = [{"row": row} for row in batch.rows]
    if batch.seal is not None:
        told.append({"seal": batch.seal})
    return b"".join(msgspec.json.encode(each) + b"\n" for each in told)

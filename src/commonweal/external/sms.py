"""Messages to phones: written to a file on a laptop, else handed to a gateway that speaks HTTP and JSON.

A message is taken at once and delivered beside the request that asked for it, at a bounded rate, tried again when the
gateway is busy. What cannot be delivered is reported with the number masked; number and text are never logged.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import structlog

from commonweal.external.gateway import Gateway, Undelivered
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Message

log = structlog.get_logger("commonweal.external.sms")

DELAYS = (1.0, 4.0, 15.0, 45.0)
"""Seconds before each further try; a code lives for five minutes."""
WAITING = 2_000
"""Messages that may wait to be delivered; further ones are refused."""
SHOWN = 2


class Line(Protocol):
    """A way to phones."""

    async def deliver(self, message: Message, key: str) -> None:
        """Hand it over; Undelivered when it was not taken. The same `key` again is the same message."""


class FileLine:
    """Appends each message to a file that only its owner can read: for laptops and trials."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def deliver(self, message: Message, key: str) -> None:
        line = {
            "channel": message.channel,
            "to": message.to,
            "text": message.text,
            "purpose": message.purpose,
        }
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, json.dumps({"key": key, **line}, ensure_ascii=False).encode() + b"\n")
        finally:
            os.close(descriptor)


def line(data: Path, address: str = "", template: str = "", header_file: str = "") -> Line:
    """The gateway at `address`, or a file in the data folder when there is none. ValueError when its template or the
    file of its secret header is not what it should be."""
    return Gateway.opened(address, template, header_file) if address else FileLine(data / "messages.ndjson")


class Sender:
    """Takes messages and delivers them one after another, at most `a_second` of them."""

    def __init__(
        self,
        line: Line,
        new_key: Callable[[], str],
        *,
        a_second: float = 10,
        delays: tuple[float, ...] = DELAYS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._line = line
        self._new_key = new_key
        self._between = 1 / a_second
        self._delays = delays
        self._pause = pause
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(WAITING)
        self._open: set[asyncio.Task[None]] = set()
        self.failed = 0

    async def send(self, message: Message) -> None:
        """`Identity.send`: returns as soon as the message is taken; Problem 503 when too many wait already."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            log.error("message refused: too many wait", **told(message))
            raise Problem.of("cw-unavailable", why="too many messages wait to be sent") from None

    async def run(self) -> None:
        """Deliver until cancelled. A message that is tried again does not hold up those behind it."""
        try:
            while True:
                message = await self._waiting.get()
                task = asyncio.create_task(self._deliver(message, self._new_key()))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
                await self._pause(self._between)
        finally:
            for task in list(self._open):
                task.cancel()

    async def settle(self) -> None:
        """Until everything that was taken has been delivered or given up; for trials and an orderly end."""
        while not self._waiting.empty() or self._open:
            await asyncio.sleep(0)
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*self._open, return_exceptions=True)

    async def _deliver(self, message: Message, key: str) -> None:
        for delay in (*self._delays, None):
            try:
                await self._line.deliver(message, key)
                log.info("message sent", **told(message))
                return
            except Undelivered as refusal:
                why, again = str(refusal), refusal.again
            except Exception as error:  # a disk that is full, a file that is locked: told by its kind alone
                why, again = type(error).__name__, True
            if delay is None or not again:
                break
            await self._pause(delay)
        self.failed += 1
        log.error("message not delivered", why=why, **told(message))


def told(message: Message) -> dict[str, Any]:
    """What may be said of a message in a log."""
    return {"channel": message.channel, "to": masked(message.to), "purpose": message.purpose}


def masked(number: str) -> str:
    """Enough of a number to find it again with its owner's help, too little to call it."""
    return "…" + number[-SHOWN:] if len(number) > 3 * SHOWN else "…"

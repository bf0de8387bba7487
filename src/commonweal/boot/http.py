"""One granian worker inside this process, on a listening socket that the parent opened.

Granian's own supervisor is left out: killed by force it leaves its workers behind, it takes no open socket, and it
waits for ever for a stream of events to end. Its worker does the work here, in the main thread of our own child.
Uvicorn costs about the same but keeps headers without end in memory (150 MB were taken); granian answers 431.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, RuntimeModes, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.mp import MPServer

from commonweal.boot.listening import Tls

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_BACKLOG = 1024
_CONCURRENT = 16_384  # requests at a time, streams of events included
_HEADER_SECONDS = 30.0  # for the headers of the next request to arrive
_HEADER_BYTES = 131_072  # kept of them; the front refuses what is longer than its own, smaller limit


def run(
    application: Application,
    listener: socket.socket,
    *,
    grace: float = 5.0,
    tls: Tls | None = None,
    header_seconds: float = _HEADER_SECONDS,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM; requests then have `grace` seconds to end by themselves before they are cancelled.

    `tls`: speak it with this certificate. A connection on which no request comes for `header_seconds` is closed.
    `on_ready` is called once the application has started; `on_stop` when SIGTERM comes, to end streams of events.
    The application's own shutdown runs last.
    """
    draining = _Draining(application, grace, on_ready, on_stop)
    server = MPServer(
        "commonweal",
        interface=Interfaces.ASGI,
        runtime_mode=RuntimeModes.mt,
        backlog=_BACKLOG,
        backpressure=_CONCURRENT,
        log_enabled=False,
        # Without TLS a browser speaks version 1 only; to tell versions apart granian would wait for ever.
        http=HTTPModes.auto if tls else HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(header_seconds * 1000), max_buffer_size=_HEADER_BYTES
        ),
        http2_settings=HTTP2Settings(max_headers_size=_HEADER_BYTES),
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    server._shd = cast(Any, SocketHolder)(listener.fileno(), False, _BACKLOG)
    server._sso = listener
    worker = server._spawn_worker(0, server._spawn_asgi_lifespan_worker, lambda: draining)
    worker.inner.run()  # what the process it was made for would run: here and now


class _Draining:
    """Knows the requests that are open, so that a stop is bounded whatever they do."""

    def __init__(
        self,
        application: Application,
        grace: float,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._application = application
        self._grace = grace
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._open: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if task is None or scope["type"] == "lifespan":
            return await self._application(scope, receive, self._noticing_start(send))
        self._open.add(task)
        try:
            await self._application(scope, receive, send)
        finally:
            self._open.discard(task)

    def _noticing_start(self, send: Send) -> Send:
        async def noticing(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
                self._on_ready()
            await send(message)

        return noticing

    def _stop(self) -> None:
        """Granian keeps SIGINT as its own sign to stop accepting and to wait for what is open."""
        self._on_stop()
        asyncio.get_running_loop().call_later(self._grace, self._cancel)
        os.kill(os.getpid(), signal.SIGINT)

    def _cancel(self) -> None:
        for task in self._open:
            task.cancel()

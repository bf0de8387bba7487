"""A guarded application on a free port, by TLS when a certificate and its key are named: prints the port."""

import sys
from typing import Any

from commonweal.boot import http, listening, processes
from commonweal.boot.front import Guard, guarded


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Tells the scheme, or the path below /path, after reading the body."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    said = scope["path"] if scope["path"].startswith("/path") else scope["scheme"]
    await send({"type": "http.response.body", "body": said.encode()})


def main(certificate: str = "", key: str = "") -> None:
    """Until it is killed."""
    listener = processes.listen("127.0.0.1", 0).open()
    port = listener.getsockname()[1]
    http.run(
        guarded(application, Guard()),
        listener,
        tls=listening.tls(certificate, key),
        header_seconds=2,
        on_ready=lambda: print(port, flush=True),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

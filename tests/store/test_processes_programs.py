"""The programs that test_processes runs: a parent and several kinds of children (`python -m … kind journal …`)."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from commonweal.boot import http, processes

HERE = "test_processes_programs"


def note(journal: str, *words: object) -> None:
    """One line, appended in one write, so that lines of several processes do not mix."""
    with Path(journal).open("a", buffering=1) as file:
        file.write(" ".join(map(str, words)) + "\n")


def worker(journal: str, name: str) -> None:
    """Does nothing until it is told to stop."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    processes.follow_parent()
    note(journal, "started", name, os.getpid())
    processes.announce_ready()
    told.wait()
    note(journal, "stopped", name)


def stubborn(journal: str, name: str) -> None:
    """Cannot be asked to stop, and has a helper."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    processes.follow_parent()
    note(journal, "helper", name, os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "60"))
    note(journal, "started", name, os.getpid())
    processes.announce_ready()
    threading.Event().wait()


def failing(journal: str, name: str) -> None:
    """Ends before it is ready."""
    note(journal, "started", name, os.getpid())
    sys.exit(3)


async def moment(seconds: float) -> None:
    """What the request is slow at: the programs of these tests take their time, the tests never do."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


async def application(scope: Any, receive: Any, send: Any) -> None:
    """/pid, /slow (one second) and /events, which never end by themselves."""
    journal = sys.argv[2]
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        note(journal, "shutdown", os.getpid())
        return await send({"type": "lifespan.shutdown.complete"})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    while scope["path"] == "/events":
        await send({"type": "http.response.body", "body": b"data: x\n\n", "more_body": True})
        await moment(0.05)
    if scope["path"] == "/slow":
        note(journal, "slow")
        await moment(1)
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


def web(journal: str, name: str) -> None:
    """A web worker on the listening socket it inherits."""
    processes.follow_parent()
    listener = processes.inherited_listener()
    assert listener is not None
    note(journal, "started", name, os.getpid())
    http.run(application, listener, grace=1.5, on_ready=processes.announce_ready)
    note(journal, "stopped", name)


def parent(journal: str, *kinds: str) -> None:
    """Serves one child of each kind; web workers stop first."""
    listener = processes.listen("127.0.0.1", 0)
    children = [
        processes.Child(
            f"{kind} {number}", HERE, (kind, journal, f"{kind}{number}"), stage=0 if kind == "web" else 1,
            grace=1 if kind == "stubborn" else 10, listener=listener if kind == "web" else None,
        )
        for number, kind in enumerate(kinds)
    ]  # fmt: skip
    try:
        asyncio.run(
            processes.serve(
                children,
                on_ready=lambda: note(journal, "ready", listener.getsockname()[1]),
                say=lambda words: note(journal, "said", words),
            )
        )
    except processes.ChildFailed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])

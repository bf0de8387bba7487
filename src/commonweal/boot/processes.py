"""The processes of `commonweal serve`: started together, kept running, stopped in order, gone with their parent.

The parent's half is `serve`; a child calls `follow_parent` first, `announce_ready` when it can work, and finds the
listening socket for the port it shares with its siblings in `inherited_listener`.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_PARENT, _READY, _LISTENER = "COMMONWEAL_PARENT_FD", "COMMONWEAL_READY_FD", "COMMONWEAL_LISTENER_FD"
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 30.0
_SETTLED = 60.0  # seconds a child must live for its earlier deaths to be forgotten
_BACKLOG = 1024
_ORPHAN_GRACE = 10.0  # seconds a child has to end by itself once its parent is gone


class ChildFailed(Exception):
    """A child ended before it was ready for the first time: nothing would be gained by trying again."""


class AddressInUse(Exception):
    """Someone else listens where we were told to."""


class Listener:
    """A port of ours, on which every life of a child has a listening socket of its own.

    On Linux the kernel then shares connections out among the living (with one socket for all, whoever is awake takes
    them all: measured). The socket held here listens to nobody; it keeps the port while no child lives. Elsewhere
    SO_REUSEPORT does not share out, and all use the one socket.
    """

    def __init__(self, host: str, port: int) -> None:
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        free = socket.create_server((host, port), family=self._family, backlog=_BACKLOG)  # raises where taken
        self._shares_out = sys.platform == "linux"
        if self._shares_out:
            address = free.getsockname()
            free.close()
            free = self._bound(address)
        self._held = free

    def getsockname(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._held.getsockname()[:2]
        return host, port

    def open(self) -> socket.socket:
        """The listening socket for one life of a child."""
        if not self._shares_out:
            return self._held.dup()
        listening = self._bound(self._held.getsockname())
        listening.listen(_BACKLOG)
        return listening

    def _bound(self, address: tuple[object, ...]) -> socket.socket:
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
        return bound

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()


def listen(host: str, port: int) -> Listener:
    """The port for the web workers; with port 0 the system chooses one."""
    try:
        return Listener(host, port)
    except OSError as error:
        raise AddressInUse(
            f"Cannot listen on {host} port {port} ({error.strerror}): choose another --port, or stop what uses it."
        ) from error


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep running: `python -m module arguments…`. Lower stages are stopped first."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    stage: int = 0
    grace: float = 10.0  # seconds between SIGTERM and SIGKILL
    listener: Listener | None = None


async def serve(
    children: Sequence[Child],
    *,
    on_ready: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = print,
) -> None:
    """Run the children until SIGTERM or SIGINT (a second one hastens); then stop them stage by stage.

    Raises ChildFailed when one of them never becomes ready; all others are stopped first.
    """
    kept = [_Kept(child, say) for child in children]
    asked = asyncio.Event()
    with _parent_pipe() as parent_end, _signals(asked, kept):
        running = [asyncio.create_task(each.run(parent_end)) for each in kept]
        try:
            await _first(asked.wait(), _all_ready(kept), *running)
            if all(each.ready.is_set() for each in kept):
                on_ready()
            await _first(asked.wait(), *running)
        finally:
            for stage in sorted({each.child.stage for each in kept}):
                await _stop(
                    [
                        (each, task)
                        for each, task in zip(kept, running, strict=True)
                        if each.child.stage == stage
                    ]
                )
    for task in running:
        task.result()


class _Kept:
    """One child over all its lives."""

    def __init__(self, child: Child, say: Callable[[str], None]) -> None:
        self.child = child
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self.hastened = asyncio.Event()
        self._say = say

    async def run(self, parent_end: int) -> None:
        """Start it, start it again with a growing delay whenever it ends, and stop it when told."""
        delay, clock = _FIRST_DELAY, asyncio.get_running_loop()
        while not self.stopping.is_set():
            born = clock.time()
            process = await self._live(parent_end)
            _sweep(process.pid)
            if self.stopping.is_set():
                return
            if not self.ready.is_set():
                raise ChildFailed(
                    f"The {self.child.name} ended before it was ready ({_how(process.returncode)})."
                )
            delay = _FIRST_DELAY if clock.time() - born > _SETTLED else min(delay * 2, _LONGEST_DELAY)
            self._say(
                f"The {self.child.name} ended ({_how(process.returncode)}); starting it again in {delay:.1f} s."
            )
            await _first(self.stopping.wait(), timeout=delay)

    async def _live(self, parent_end: int) -> asyncio.subprocess.Process:
        process, ready_end = await _spawn(self.child, parent_end)
        announced = asyncio.create_task(self._hear(ready_end))
        try:
            await _first(process.wait(), self.stopping.wait())
            if process.returncode is None:
                await self._end(process)
        finally:
            announced.cancel()
        return process

    async def _hear(self, ready_end: int) -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(ready_end, heard.set)
        try:
            await heard.wait()
            if os.read(ready_end, 1):
                self.ready.set()
        finally:
            loop.remove_reader(ready_end)
            os.close(ready_end)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await _first(process.wait(), self.hastened.wait(), timeout=self.child.grace)
        if process.returncode is None:
            self._say(f"The {self.child.name} did not stop within {self.child.grace:.0f} s and was killed.")
            _sweep(process.pid)
            await process.wait()


async def _spawn(child: Child, parent_end: int) -> tuple[asyncio.subprocess.Process, int]:
    """In a session of its own, so that Ctrl-C in a terminal reaches the parent alone, which keeps the order."""
    ready_end, announce_end = os.pipe()
    inherited = {_PARENT: parent_end, _READY: announce_end}
    listening = child.listener.open() if child.listener else None
    if listening is not None:
        inherited[_LISTENER] = listening.fileno()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", child.module, *child.arguments,
            stdin=asyncio.subprocess.DEVNULL, start_new_session=True, pass_fds=tuple(inherited.values()),
            env=os.environ | {name: str(handle) for name, handle in inherited.items()},
        )  # fmt: skip
    except BaseException:
        os.close(ready_end)
        raise
    finally:
        os.close(announce_end)
        if listening is not None:
            listening.close()
    return process, ready_end


async def _stop(stage: list[tuple[_Kept, "asyncio.Task[None]"]]) -> None:
    for kept, _ in stage:
        kept.stopping.set()
    await asyncio.gather(*(task for _, task in stage), return_exceptions=True)


async def _all_ready(kept: Sequence[_Kept]) -> None:
    for each in kept:
        await each.ready.wait()


async def _first(*awaited: "asyncio.Future[None] | object", timeout: float | None = None) -> None:
    """Wait for the first of these; coroutines among them are cancelled afterwards, tasks run on."""
    given = [each for each in awaited if isinstance(each, asyncio.Future)]
    ours = [asyncio.ensure_future(each) for each in awaited if asyncio.iscoroutine(each)]
    try:
        await asyncio.wait([*given, *ours], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in ours:
            each.cancel()


@contextlib.contextmanager
def _parent_pipe() -> Iterator[int]:
    """The read end that children watch; only this process has the write end, however it ends."""
    read_end, write_end = os.pipe()
    try:
        yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


@contextlib.contextmanager
def _signals(asked: asyncio.Event, kept: Sequence[_Kept]) -> Iterator[None]:
    def heed() -> None:
        if asked.is_set():
            for each in kept:
                each.hastened.set()
        asked.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heed)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _sweep(group: int) -> None:
    """Kill what is left of a child's session: its own helpers do not outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _how(code: int | None) -> str:
    return f"exit code {code}" if code is None or code >= 0 else f"killed by {signal.Signals(-code).name}"


def follow_parent() -> None:
    """In a child: when the parent is gone, stop as if by SIGTERM; by force, helpers included, if that takes long."""
    handle = os.environ.pop(_PARENT, "")
    if handle:
        os.set_inheritable(int(handle), False)
        threading.Thread(target=_watch, args=(int(handle),), name="follow-parent", daemon=True).start()


def _watch(parent: int) -> None:
    os.read(parent, 1)  # nobody ever writes: this returns when the write end is closed
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_ORPHAN_GRACE)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def announce_ready() -> None:
    """In a child: tell the parent that work can begin."""
    handle = os.environ.pop(_READY, "")
    if handle:
        os.write(int(handle), b"!")
        os.close(int(handle))


def inherited_listener() -> socket.socket | None:
    """In a child: its listening socket, if it was given one."""
    handle = os.environ.pop(_LISTENER, "")
    return socket.socket(fileno=int(handle)) if handle else None

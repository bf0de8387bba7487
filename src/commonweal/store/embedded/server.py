"""A PostgreSQL of our own in a data directory: started by the first command, shared, ended with the last."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol
from urllib.parse import quote

from commonweal.store.embedded import cluster, descendants, locks, pidfile, tuning
from commonweal.store.embedded.account import ENVIRONMENT, account_for
from commonweal.store.embedded.binaries import Binaries, find
from commonweal.store.embedded.directory import Directory
from commonweal.store.embedded.failure import DatabaseUnavailable
from commonweal.store.embedded.probe import PORT, accepts, socket_file
from commonweal.store.embedded.waiting import Waiting

_STOP_PATIENCE = 45.0  # more than the watchdog's own bounds together
_TEND = 1.0


def say_on_stderr(message: str) -> None:
    """Where messages go unless the caller has a better place."""
    print(message, file=sys.stderr, flush=True)


class Database(Protocol):
    """What a command may ask of a database, whoever runs it."""

    @property
    def version(self) -> str: ...
    @property
    def started(self) -> bool: ...
    def dsn(self, role: str = ...) -> str: ...
    def pids(self) -> tuple[int, ...]: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def give_up(self) -> None: ...
    async def tend(self) -> None: ...


class Server:
    """One command's hold on the database in a data directory.

    The server lives exactly as long as someone holds it. `started` says whether this command started it: if
    others still hold it when that command stops, it runs on for them and ends within a second of the last.
    """

    def __init__(self, data: Path, say: Callable[[str], None] = say_on_stderr) -> None:
        self.data = Path(os.path.abspath(data))
        self.version = ""
        self.started = False
        self._directory = Directory(self.data, account_for(self.data))
        self._say = say
        self._given_up = threading.Event()
        self._users: int | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._socket = Path()

    def dsn(self, role: str = cluster.APPLICATION) -> str:
        """The address for `commonweal`, `commonweal_owner` or `commonweal_admin`, password included."""
        password = cluster.passwords(self._directory)[role]
        host = quote(str(self._socket), safe="")
        return f"postgresql://{role}:{quote(password, safe='')}@/{cluster.DATABASE}?host={host}&port={PORT}"

    def pids(self) -> tuple[int, ...]:
        """The watchdog, the postmaster and all its children that run now."""
        running = self._directory.read(self._directory.running)
        return descendants.tree(running["watchdog"]) if running and not self._vanished() else ()

    def start(self) -> None:
        """Attach to the server that runs in the directory, or start it; return once it accepts connections."""
        self._directory.prepare()
        waiting = Waiting(self._say, self._given_up)
        if self._users is None:
            self._users = locks.open_file(self._directory.users)
        try:
            while not locks.try_shared(self._users):
                waiting.pause(f"the database in {self.data} to stop")
            while not self._attached() and not self._start_if_free(waiting):
                waiting.pause(f"the database in {self.data}, which another command is starting")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let go. Who started the server and is the last to hold it waits (bounded) until it has stopped."""
        if self._users is None:
            return
        users, self._users = self._users, None
        if self._watchdog is None:
            locks.close(users)
            return
        alone = locks.try_exclusive(users)
        others = not alone and locks.try_shared(users)  # the watchdog, once it holds the lock alone, keeps it
        if alone:
            self._watchdog.terminate()
        if not others:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._watchdog.wait(_STOP_PATIENCE)
                self._directory.running.unlink(missing_ok=True)  # where it was told before it could listen
        locks.close(users)

    def give_up(self) -> None:
        """End a `start` that still waits in another thread."""
        self._given_up.set()

    async def tend(self) -> None:
        """For a command that serves: should the server vanish with its watchdog, start it again. Never returns."""
        while True:
            await asyncio.sleep(_TEND)
            if await asyncio.to_thread(self._vanished):
                self._say(f"The database in {self.data} has ended; starting it again.")
                await asyncio.to_thread(self.start)

    def _vanished(self) -> bool:
        handle = locks.open_file(self._directory.lock)
        try:
            return locks.try_exclusive(handle)
        finally:
            locks.close(handle)

    def _attached(self) -> bool:
        running = self._directory.read(self._directory.running)
        if running is None or not pidfile.says_ready(self._directory.postgres):
            return False
        if not accepts(Path(running["socket"]), cluster.APPLICATION, cluster.DATABASE):
            return False
        self._socket, self.version = Path(running["socket"]), running["version"]
        return True

    def _start_if_free(self, waiting: Waiting) -> bool:
        lock = locks.open_file(self._directory.lock)
        try:
            if not locks.try_exclusive(lock):
                return False
            self._start(lock, waiting)
            return True
        finally:
            locks.close(lock)  # the watchdog and PostgreSQL have inherited it

    def _start(self, lock: int, waiting: Waiting) -> None:
        directory = self._directory
        binaries = find(directory.account, cluster.need(directory))
        if not directory.postgres.exists():
            self._say(f"Making a PostgreSQL {binaries.version} database in {self.data} …")
            cluster.make(directory, binaries, lock)
        self._socket, self.version, self.started = directory.socket_directory(), binaries.version, True
        pidfile.clear(directory.postgres, socket_file(self._socket))
        self._configure(binaries)
        self._watchdog = self._launch(binaries, lock)
        running = {"socket": str(self._socket), "watchdog": self._watchdog.pid, "version": binaries.version}
        directory.write(directory.running, json.dumps(running) + "\n")
        while not self._attached():
            if self._watchdog.poll() is not None:
                raise DatabaseUnavailable(f"PostgreSQL did not start: {self._last_words()}")
            waiting.pause(
                f"PostgreSQL to accept connections in {self.data}; it recovers if it was not stopped cleanly"
            )

    def _configure(self, binaries: Binaries) -> None:
        text = tuning.settings(self.data, self._socket, lz4=binaries.lz4)
        self._directory.write(self.data / "postgresql.conf", text, for_postgres=True)
        self._directory.write(self.data / "pg_hba.conf", cluster.ACCESS, for_postgres=True)

    def _launch(self, binaries: Binaries, lock: int) -> "subprocess.Popen[bytes]":
        """The watchdog, in a session of its own; its orders go by standard input, nothing by arguments."""
        directory, account = self._directory, self._directory.account
        orders = {
            "command": [
                str(binaries.bin / "postgres"), "-D", str(directory.postgres),
                "-c", f"config_file={self.data / 'postgresql.conf'}",
            ],
            "environment": ENVIRONMENT,
            "account": [account.uid, account.gid] if account.switching else None,
            "users": str(directory.users),
            "leftovers": [str(directory.running)],
            "runtime": None if self._socket.is_relative_to(self.data) else str(self._socket),
        }  # fmt: skip
        (self.data / "startup.log").unlink(missing_ok=True)
        with (self.data / "startup.log").open("xb") as log:
            watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("watchdog.py"))],
                stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", pass_fds=[lock],
                start_new_session=True,
            )  # fmt: skip
        assert watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError), watchdog.stdin as orders_out:
            orders_out.write(json.dumps(orders).encode())
        return watchdog

    def _last_words(self) -> str:
        """The server's own reason, wherever it got to say it; not what it told a command that asked too early."""
        logs = sorted((self.data / "log").iterdir(), key=lambda log: log.stat().st_mtime)[-1:]
        texts = [log.read_text(errors="replace") for log in (*logs, self.data / "startup.log")]
        lines = [line for text in texts for line in text.splitlines() if line.strip()]
        reasons = [line for line in lines if "] FATAL:" in line or "] PANIC:" in line] or lines
        return f"{reasons[-1].strip() if reasons else 'it left no message'} (logs: {self.data / 'log'})"


class Opening:
    """`with embedded.open(data) as server` and `async with embedded.open(data) as server`: the same thing."""

    def __init__(self, make: Callable[[], Database]) -> None:
        self._make = make
        self._server: Database | None = None

    def __enter__(self) -> Database:
        self._server = server = self._make()
        server.start()
        return server

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()

    async def __aenter__(self) -> Database:
        self._server = server = self._make()
        starting = asyncio.get_running_loop().run_in_executor(None, server.start)
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            server.give_up()
            with contextlib.suppress(DatabaseUnavailable):
                await starting
            await asyncio.to_thread(server.stop)
            raise
        return server

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            await asyncio.shield(asyncio.to_thread(self._server.stop))

"""Keeps one PostgreSQL running in the foreground for as long as anyone uses it, and ends it when nobody does.

Run as a program of its own (`python -I -S watchdog.py`), in its own session, so that Ctrl-C in a terminal
does not reach the database; reads its orders as JSON on standard input. It imports the standard library only.

* DIR/users is locked in shared mode by every user. The kernel drops that lock however a user ends, kill -9
  included. Once we hold it alone, nobody is left: a clean stop.
* DIR/lock came from the starter and is inherited by PostgreSQL: held while any of its processes is alive.
* A postmaster that was killed is started again; one that ends by itself (`pg_ctl stop`) is not.
* Should we be killed, Linux sends PostgreSQL a SIGINT (PR_SET_PDEATHSIG): a clean stop too.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

_NOTICE = 0.25  # seconds until the departure of the last user is noticed
_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))  # fast, immediate, by force
_RESTART_PATIENCE = 60.0  # backends of a killed postmaster must be gone before another may start
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Orders:
    """What to run, as whom, and what to clear away afterwards."""

    command: list[str]
    environment: dict[str, str]
    account: tuple[int, int] | None
    users: str
    leftovers: list[str]
    runtime: str | None


class Watchdog:
    """One postmaster and the two reasons to end: nobody uses it, or we are told to."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._users = os.open(orders.users, os.O_RDWR | os.O_CLOEXEC)
        self._wake, wake_end = os.pipe()
        for end in (self._wake, wake_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_end)
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._be_told)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._postmaster = self._launch()

    def run(self) -> None:
        """Until it is over; then PostgreSQL is gone and so are its traces outside the data directory."""
        while not self._over():
            status = self._wait(_NOTICE)
            if status is not None and not self._revive(status):
                break
        else:
            self._stop()
        self._clear()

    def _over(self) -> bool:
        if self._told:
            return True
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _revive(self, status: int) -> bool:
        """Start again after a kill; retried while the old backends still leave."""
        deadline = time.monotonic() + _RESTART_PATIENCE
        while os.WIFSIGNALED(status) and not self._over():
            self._postmaster = self._launch()
            ended = self._wait(1.0)
            if ended is None:
                return True
            if os.WIFEXITED(ended) and (os.WEXITSTATUS(ended) == 0 or time.monotonic() > deadline):
                return False
            select.select([self._wake], [], [], _NOTICE)
        return False

    def _launch(self) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become_postgres(parent)
        except OSError as error:
            os.write(2, f"cannot run {self._orders.command[0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def _become_postgres(self, parent: int) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if self._orders.account:
            uid, gid = self._orders.account
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        if sys.platform == "linux":  # after the change of account, which would undo it
            self._libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
            if os.getppid() != parent:
                return
        os.execve(self._orders.command[0], self._orders.command, self._orders.environment)

    def _wait(self, seconds: float) -> int | None:
        """The postmaster's exit status, if it ends within that time; cut short when we are told to stop."""
        deadline = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self._postmaster, os.WNOHANG)
            left = deadline - time.monotonic()
            if pid or left <= 0 or self._told:
                return status if pid else None
            select.select([self._wake], [], [], left)
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 512)

    def _stop(self) -> None:
        self._told = False
        for number, patience in _STOP:
            os.kill(self._postmaster, number)
            if self._wait(patience) is not None:
                return

    def _clear(self) -> None:
        for leftover in self._orders.leftovers:
            with contextlib.suppress(OSError):
                os.unlink(leftover)
        if self._orders.runtime:
            with contextlib.suppress(OSError):
                os.rmdir(self._orders.runtime)

    def _be_told(self, *_: Any) -> None:
        self._told = True


if __name__ == "__main__":
    Watchdog(Orders(**json.load(sys.stdin))).run()

"""Advisory file locks: the kernel drops them with their holder, so no stale lock can exist.

DIR/lock   held exclusively by the server's own processes (watchdog, postmaster and every backend inherit it);
DIR/users  held in shared mode by each command that uses the server.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from commonweal.store.embedded.failure import DatabaseUnavailable

_held: set[int] = set()


def open_file(path: Path) -> int:
    """Open (and create) a lock file; a forked child closes it, so that it does not outlive its holder."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    _held.add(handle)
    return handle


def close(handle: int) -> None:
    """Let go of a lock and its file."""
    _held.discard(handle)
    os.close(handle)


def try_shared(handle: int) -> bool:
    """Take or keep the lock in shared mode, unless someone holds it exclusively."""
    return _try(handle, fcntl.LOCK_SH)


def try_exclusive(handle: int) -> bool:
    """Take the lock alone, unless anyone else holds it; a shared lock that was held is lost if that fails."""
    return _try(handle, fcntl.LOCK_EX)


def _try(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise DatabaseUnavailable(
            f"The file system of the data directory has no file locks ({error.strerror}): "
            "choose a --data directory on a local disk."
        ) from error
    return True


def _close_in_forked_child() -> None:
    for handle in _held:
        with contextlib.suppress(OSError):
            os.close(handle)
    _held.clear()


_after_fork: Callable[[], None] = _close_in_forked_child
os.register_at_fork(after_in_child=_after_fork)

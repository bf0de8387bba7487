"""PostgreSQL's postmaster.pid: what it says, and how it is cleared away once its server is gone.

PostgreSQL refuses to start while a process of its account has the number in the file, be it a zombie or a program
that got the number later; so it does with the lock beside its socket. We hold DIR/lock, which every process of our
server inherits: none of ours is left. What remains is a server that somebody started by hand in this directory.
"""

import os
import subprocess
from pathlib import Path

from commonweal.store.embedded.failure import DatabaseUnavailable


def says_ready(database: Path) -> bool:
    """Whether the server has got as far as accepting connections; it says so in the file's last line."""
    return _lines(database)[-1:] == ["ready"]


def clear(database: Path, socket: Path) -> None:
    """Remove what a dead server left; complains if a PostgreSQL that is not ours runs in the directory."""
    lines = _lines(database)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if pid and _serves(pid, database):
        raise DatabaseUnavailable(
            f"Process {pid} is a PostgreSQL that was started by hand on {database}: "
            f"stop it with `kill -INT {pid}` and try again."
        )
    for left in (database / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        left.unlink(missing_ok=True)


def _lines(database: Path) -> list[str]:
    try:
        return [line.strip() for line in (database / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _serves(pid: int, database: Path) -> bool:
    """A postmaster's working directory is its data directory; a zombie has none."""
    if Path("/proc/self/cwd").exists():
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", database)
        except OSError:
            return False
    asked = subprocess.run(["ps", "-o", "state=,command=", "-p", str(pid)], capture_output=True, text=True)
    return "postgres" in asked.stdout and not asked.stdout.startswith("Z")

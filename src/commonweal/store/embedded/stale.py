"""A postmaster.pid left behind by a server that is gone, even where its number now belongs to someone else.

PostgreSQL refuses to start while a process of its account has the number in the file, be it a zombie or
a program that got the number later. We hold DIR/lock, which every process of our server inherits: none of ours is left.
What remains is a server that somebody started by hand in this directory.
"""

import os
import subprocess
from pathlib import Path

from commonweal.store.embedded.failure import DatabaseUnavailable


def clear(database: Path) -> None:
    """Remove a stale postmaster.pid; complains if a PostgreSQL that is not ours runs in the directory."""
    file = database / "postmaster.pid"
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    if pid and _serves(pid, database):
        raise DatabaseUnavailable(
            f"Process {pid} is a PostgreSQL that was started by hand on {database}: "
            f"stop it with `kill -INT {pid}` and try again."
        )
    file.unlink()


def _serves(pid: int, database: Path) -> bool:
    """A postmaster's working directory is its data directory; a zombie has none."""
    if Path("/proc/self/cwd").exists():
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", database)
        except OSError:
            return False
    asked = subprocess.run(["ps", "-o", "state=,command=", "-p", str(pid)], capture_output=True, text=True)
    return "postgres" in asked.stdout and not asked.stdout.startswith("Z")

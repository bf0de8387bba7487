"""Is a process still there?"""

from pathlib import Path


def alive(pid: int) -> bool:
    """While one of its threads runs. A killed process whose first thread is a zombie still holds its sockets and
    files until its last thread has ended, and Linux then still hands it connections."""
    return any(_runs(stat) for stat in Path(f"/proc/{pid}/task").glob("*/stat"))


def _runs(stat: Path) -> bool:
    """`pid (name) state …`, see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False

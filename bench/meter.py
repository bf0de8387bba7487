"""What processes cost: CPU time and memory of whole process trees, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds spent by the application's and by PostgreSQL's processes."""

    application: float
    database: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.application - other.application, self.database - other.database)


def cost(root: int) -> Cost:
    """Of everything below the process `commonweal serve`, itself included."""
    application = database = 0.0
    for pid in tree(root):
        fields = _stat(pid)
        if fields is None:
            continue
        seconds = (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / TICK
        if _name(pid).startswith("postgres"):
            database += seconds
        else:
            application += seconds
    return Cost(application, database)


def memory(root: int) -> dict[str, int]:
    """Proportional set size in bytes of each web worker, by its number in the order found."""
    found = [pid for pid in tree(root) if "commonweal.boot.asgi" in _command(pid)]
    return {f"web worker {number}": _pss(pid) for number, pid in enumerate(found, 1)}


def tree(root: int) -> list[int]:
    """The process and all its descendants, those that moved into sessions of their own included."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)

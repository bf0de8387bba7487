"""The processes below one: what a server consists of right now."""

import subprocess
from collections import defaultdict
from pathlib import Path


def tree(root: int) -> tuple[int, ...]:
    """`root` and everything that descends from it, parents first; empty when it is gone."""
    parents = _parents()
    if root not in parents:
        return ()
    children: dict[int, list[int]] = defaultdict(list)
    for pid, parent in parents.items():
        children[parent].append(pid)
    found = [root]
    for pid in found:
        found += sorted(children[pid])
    return tuple(found)


def _parents() -> dict[int, int]:
    if Path("/proc/self/stat").exists():
        return dict(filter(None, map(_from_proc, Path("/proc").glob("[0-9]*/stat"))))
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}


def _from_proc(stat: Path) -> tuple[int, int] | None:
    """`pid (name) state parent …`, see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
    try:
        before, _, after = stat.read_text().rpartition(")")
    except OSError:
        return None
    state, parent = after.split()[:2]
    return None if state == "Z" else (int(before.split()[0]), int(parent))

"""A platform run as a user runs it — `commonweal serve` — whose processes can be found and killed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "commonweal.boot.cli"]


class PlatformProcess:
    """One `commonweal serve` on a data folder; started again on the same folder it finds its record again."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self.data = data
        self._process = subprocess.Popen(
            [*COMMAND, "serve", "--data", str(data), "--port", str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, f"the server did not start: {line!r}"
        self.port = int(found[1])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def token(self) -> str:
        return self._run("token", "--minutes", "30").stdout.strip()

    def check(self) -> str:
        """What `commonweal check` says; fails when it finds anything wrong."""
        done = self._run("check")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kill(self, what: str) -> None:
        """kill -9: the "server" itself, its web "worker", its "background" worker, or the "database"."""
        os.kill(self._pid(what), signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, as systemd or Ctrl-C would; its exit code."""
        self._process.terminate()
        return self._process.wait(90)

    def wait(self) -> None:
        """Until it has ended by itself."""
        self._process.wait(90)

    def leftovers(self) -> list[int]:
        """Processes that still work on this data folder."""
        return [
            pid
            for pid, line in _commands().items()
            if str(self.data) in line or _data_of(pid) == str(self.data)
        ]

    def _pid(self, what: str) -> int:
        if what == "server":
            return self._process.pid
        if what == "database":
            return int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        module = {"worker": "commonweal.boot.asgi", "background": "commonweal.boot.worker"}[what]
        return next(
            pid for pid, line in _commands().items() if module in line and _data_of(pid) == str(self.data)
        )

    def _run(self, verb: str, *options: str) -> "subprocess.CompletedProcess[str]":
        command = [*COMMAND, verb, "--data", str(self.data), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def _commands() -> dict[int, str]:
    """Every living process and its command line; zombies have none."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            line = _text(entry / "cmdline")
            if line:
                found[int(entry.name)] = line.replace("\0", " ")
    return found


def _data_of(pid: int) -> str:
    """The data folder a child was told by its parent."""
    environment = _text(Path(f"/proc/{pid}/environ")).split("\0")
    return next((line.partition("=")[2] for line in environment if line.startswith("COMMONWEAL_DATA=")), "")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""

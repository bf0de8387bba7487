"""A server of its own, driven from another process: how many requests a second, and what each costs."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OctKey

from bench import meter
from bench.drive import OPERATIONS, Result
from bench.world import World
from commonweal.boot.secrets import open_secrets
from commonweal.boot.tokens import ALGORITHM, ISSUER

COMMAND = [sys.executable, "-m", "commonweal.boot.cli"]
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Driving:
    """How each operation is driven: several runs are counted, and one before them is not."""

    world: World
    connections: int
    seconds: float
    warm: float
    runs: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of the runs: a second, milliseconds, and microseconds of CPU for each request (or resource)."""

    rate: float
    p50: float
    p99: float
    application: float
    database: float
    count: int
    failed: int


@contextmanager
def serving(data: Path, workers: int, more: Mapping[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """A server over the database in `data`: its process and its port. `more`: further environment."""
    command = [*COMMAND, "serve", "--data", str(data / "db"), "--port", "0", "--workers", str(workers)]
    environment = {**os.environ, "COMMONWEAL_LOG_LEVEL": "warning", **(more or {})}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if "http://" not in line:
            raise SystemExit("the server did not start")
        yield server.pid, int(line.split("http://")[1].split()[0].rpartition(":")[2])
    finally:
        server.terminate()
        server.wait(60)


def hold_token(data: Path, agent: str = "operator", role: str = "operator") -> None:
    """Keep a token for the load generator, as somebody in a role; not on a command line, where all may read it."""
    keys = open_secrets(data / "db").tokens
    key = keys if isinstance(keys, bytes) else keys.current.key
    head = {"alg": ALGORITHM} if isinstance(keys, bytes) else {"alg": ALGORITHM, "kid": keys.current.id}
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": agent, "roles": [role], "iat": now, "exp": now + MINUTES * 60}
    path = data / "token"
    path.touch(mode=0o600)
    path.write_text(jwt.encode(head, claims, OctKey.import_key(key)))


def measured(data: Path, root: int, port: int, name: str, driving: Driving) -> Measured:
    """Medians of several runs, after one that is not counted: it warms caches and plans."""
    weight = OPERATIONS[name][1]
    _drive(data, port, name, driving, driving.warm, 0)
    results: list[tuple[Result, meter.Cost]] = []
    for run in range(1, driving.runs + 1):
        before = meter.cost(root)
        result = _drive(data, port, name, driving, driving.seconds, run)
        results.append((result, meter.cost(root) - before))

    def middle(value: Callable[[Result, meter.Cost], float]) -> float:
        return statistics.median(value(result, cost) for result, cost in results)

    return Measured(
        middle(lambda r, _: r.requests * weight / r.seconds),
        middle(lambda r, _: r.p50),
        middle(lambda r, _: r.p99),
        middle(lambda r, c: c.application / (r.requests * weight)) * 1e6,
        middle(lambda r, c: c.database / (r.requests * weight)) * 1e6,
        int(middle(lambda r, _: r.requests * weight)),
        sum(result.failed for result, _ in results),
    )


def _drive(data: Path, port: int, name: str, driving: Driving, seconds: float, seed: int) -> Result:
    arguments = [name, str(port), str(data / "token"), str(seconds), str(driving.connections), str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.drive", *arguments],
        input=json.dumps([driving.world.observations, driving.world.doctor]),
        capture_output=True,
        text=True,
        check=True,
    )
    return Result(**json.loads(done.stdout))


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Columns that line up, the first to the left."""
    widths = [max(len(row[n]) for row in [headings, *rows]) for n in range(len(headings))]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if n == 0 else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

"""`python -m bench`: load data, drive the running server from another process, print the table."""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from bench import meter
from bench.drive import OPERATIONS, Result
from bench.world import World
from commonweal.boot.settings import Settings
from commonweal.store import embedded

COMMAND = [sys.executable, "-m", "commonweal.boot.cli"]


def main() -> None:
    """Keeps its database in --data between runs; only what is missing is loaded."""
    options = _options()
    data = options.data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    world = World(options.observations)
    _say(f"{platform.processor() or platform.machine()}, {_processor()}, Python {platform.python_version()}")
    loaded = _load(data, world)
    server, port = _serve(data, options.workers)
    try:
        rows = [
            _measure(data, server.pid, port, name, world, options)
            for name in OPERATIONS
            if options.only in name
        ]
        memory = meter.memory(server.pid)
    finally:
        server.terminate()
        server.wait(60)
    print(_table(rows + loaded))
    for name, size in memory.items():
        print(f"{name}: {size / 1e6:.0f} MB")
    print(asyncio.run(_disk(data)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".bench"))
    parser.add_argument("--observations", type=int, default=2_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=5.0, help="seconds before the first run counted")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="only operations whose name contains this")
    return parser.parse_args()


def _load(data: Path, world: World) -> list[list[str]]:
    """Load the world unless it is there; the bulk row of the table when it was loaded now."""
    mark = data / f"loaded-{world.observations}"
    if mark.exists():
        return []
    file = data / f"world-{world.observations}.ndjson"
    if not file.exists():
        _say(f"writing {world.observations:,} Observations to {file} …")
        world.write(file)
    _say("loading …")
    process = subprocess.Popen(
        [*COMMAND, "load", "--data", str(data / "db"), str(file)], stdout=subprocess.DEVNULL
    )
    start = time.monotonic()
    spent = meter.Cost(0, 0)
    while process.poll() is None:
        now = meter.cost(process.pid)
        spent = meter.Cost(max(spent.application, now.application), max(spent.database, now.database))
        time.sleep(0.5)
    took = time.monotonic() - start
    if process.returncode:
        raise SystemExit("the load failed")
    mark.touch()
    count = world.observations + world.patients
    return [_row("bulk load, a resource", count / took, None, None, spent, count, 0)]


def _serve(data: Path, workers: int) -> "tuple[subprocess.Popen[str], int]":
    command = [*COMMAND, "serve", "--data", str(data / "db"), "--port", "0", "--workers", str(workers)]
    quiet = {**os.environ, "COMMONWEAL_LOG_LEVEL": "warning"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=quiet)
    assert server.stdout is not None
    line = server.stdout.readline()
    if "http://" not in line:
        raise SystemExit("the server did not start")
    token = subprocess.run(
        [*COMMAND, "token", "--data", str(data / "db")], capture_output=True, text=True, check=True
    )
    path = data / "token"
    path.touch(mode=0o600)
    path.write_text(token.stdout)
    return server, int(line.split("http://")[1].split()[0].rpartition(":")[2])


def _measure(
    data: Path, root: int, port: int, name: str, world: World, options: argparse.Namespace
) -> list[str]:
    """Medians of several runs, after one that is not counted: it warms caches and plans."""
    weight = OPERATIONS[name][1]
    _drive(data, port, name, world, options.warm, options.connections, 0)
    results: list[tuple[Result, meter.Cost]] = []
    for run in range(1, options.runs + 1):
        before = meter.cost(root)
        result = _drive(data, port, name, world, options.seconds, options.connections, run)
        results.append((result, meter.cost(root) - before))
    _say(f"{name}: done")

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    count = int(middle([r.requests * weight for r, _ in results]))
    spent = meter.Cost(
        middle([c.application / (r.requests * weight) for r, c in results]) * count,
        middle([c.database / (r.requests * weight) for r, c in results]) * count,
    )
    rate = middle([r.requests * weight / r.seconds for r, _ in results])
    p50, p99 = middle([r.p50 for r, _ in results]), middle([r.p99 for r, _ in results])
    return _row(name, rate, p50, p99, spent, count, sum(r.failed for r, _ in results))


def _drive(
    data: Path, port: int, name: str, world: World, seconds: float, connections: int, seed: int
) -> Result:
    arguments = [name, str(port), str(data / "token"), str(seconds), str(connections), str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.drive", *arguments],
        input=f"{world.observations}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return Result(**json.loads(done.stdout))


def _row(
    name: str, rate: float, p50: float | None, p99: float | None, spent: meter.Cost, count: int, failed: int
) -> list[str]:
    application, database = spent.application / count * 1e6, spent.database / count * 1e6
    times = [f"{value:.1f}" if value is not None else "" for value in (p50, p99)]
    costs = [f"{application:.0f}", f"{database:.0f}", f"{application + database:.0f}"]
    return [name, f"{rate:,.0f}", *times, *costs, str(failed)]


HEADINGS = ["operation", "a second", "p50 ms", "p99 ms", "app µs", "database µs", "sum µs", "failed"]


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[n]) for row in [HEADINGS, *rows]) for n in range(len(HEADINGS))]
    lines = [HEADINGS, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if n == 0 else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


async def _disk(data: Path) -> str:
    """Bytes on disk for each Observation, everything that was written for it included."""
    settings = Settings.read(data=str(data / "db"))
    async with embedded.open(settings.folder) as database:
        connection = await asyncpg.connect(database.dsn(embedded.ADMIN))
        try:
            rows = await connection.fetchval('select count(*) from record."Observation"')
            parts = await connection.fetch(
                """select n.nspname || '.' || c.relname as name, pg_total_relation_size(c.oid) as size
                   from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where c.relkind = 'r' and (n.nspname, c.relname) in
                     (('record', 'Observation'), ('record', 'ranged'), ('beside', 'outbox'), ('beside', 'audit'))"""
            )
        finally:
            await connection.close()
    told = ", ".join(f"{part['name']} {part['size'] / rows:.0f}" for part in parts)
    return (
        f"disk: {sum(p['size'] for p in parts) / rows:.0f} bytes for each of {rows:,} Observations ({told})"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else "unknown processor"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

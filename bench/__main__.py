"""`python -m bench`: load data, drive the running server from another process, print the table."""

import argparse
import asyncio
import platform
import subprocess
import time
from pathlib import Path

import asyncpg

from bench import costs, meter
from bench.drive import OPERATIONS
from bench.measuring import COMMAND, Driving, hold_token, measured, say, serving, table
from bench.world import World
from commonweal.boot.settings import Settings
from commonweal.store import embedded


def main() -> None:
    """Keeps its database in --data between runs; only what is missing is loaded."""
    options = _options()
    data = options.data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    world = World(options.observations)
    say(f"{platform.processor() or platform.machine()}, {_processor()}, Python {platform.python_version()}")
    loaded = _load(data, world)
    if options.costs:
        driving = _driving(World(options.observations, doctor=0), options)
        print(costs.told(data, options.workers, driving, options.only))
        return
    driving = _driving(world, options)
    with serving(data, options.workers) as (root, port):
        hold_token(data)
        names = [name for name in OPERATIONS if options.only in name]
        rows = [_measured(data, root, port, name, driving) for name in names]
        memory = meter.memory(root)
    print(table(HEADINGS, rows + loaded))
    for name, size in memory.items():
        print(f"{name}: {size / 1e6:.0f} MB")
    print(asyncio.run(_disk(data)))


def _driving(world: World, options: argparse.Namespace) -> Driving:
    return Driving(world, options.connections, options.seconds, options.warm, options.runs)


def _measured(data: Path, root: int, port: int, name: str, driving: Driving) -> list[str]:
    found = measured(data, root, port, name, driving)
    say(f"{name}: done")
    spent = meter.Cost(found.application * found.count / 1e6, found.database * found.count / 1e6)
    return _row(name, found.rate, found.p50, found.p99, spent, found.count, found.failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".bench"))
    parser.add_argument("--observations", type=int, default=2_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=5.0, help="seconds before the first run counted")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--costs", action="store_true", help="access and audit apart, instead of everything")
    parser.add_argument("--only", default="", help="only operations whose name contains this")
    return parser.parse_args()


def _load(data: Path, world: World) -> list[list[str]]:
    """Load the world unless it is there; the bulk row of the table when it was loaded now."""
    mark = data / f"loaded-with-doctors-{world.observations}"
    if mark.exists():
        return []
    file = data / f"world-with-doctors-{world.observations}.ndjson"
    if not file.exists():
        say(f"writing {world.observations:,} Observations to {file} …")
        world.write(file)
    say("loading …")
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


def _row(
    name: str, rate: float, p50: float | None, p99: float | None, spent: meter.Cost, count: int, failed: int
) -> list[str]:
    application, database = spent.application / count * 1e6, spent.database / count * 1e6
    times = [f"{value:.1f}" if value is not None else "" for value in (p50, p99)]
    costs = [f"{application:.0f}", f"{database:.0f}", f"{application + database:.0f}"]
    return [name, f"{rate:,.0f}", *times, *costs, str(failed)]


HEADINGS = ["operation", "a second", "p50 ms", "p99 ms", "app µs", "database µs", "sum µs", "failed"]


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


if __name__ == "__main__":
    main()

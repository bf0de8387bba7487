"""The load generator: keep-alive connections that send ready-made requests, in a process of its own."""

import asyncio
import itertools
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.world import World

SECONDS = 5.0
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one operation: requests answered, seconds, failures and milliseconds at two quantiles."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p99: float


async def drive(port: int, requests: Iterator[bytes], seconds: float, connections: int) -> Result:
    """Send requests on all connections until the time is over; every answer is read to its end."""
    times: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        while (start := time.perf_counter()) < end:
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            if length:
                await reader.readexactly(length)
            times.append(time.perf_counter() - start)
            failed += head[9:10] != b"2"
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    took = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    return Result(len(times), took, failed, cuts[49] * 1000, cuts[98] * 1000)


def _get(path: str, token: str) -> bytes:
    return f"GET /fhir/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _post(path: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST /fhir{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _reads(world: World, token: str, chance: random.Random) -> bytes:
    return _get(f"Patient/{world.patient(chance)}", token)


def _searches(world: World, token: str, chance: random.Random) -> bytes:
    code = world.code(chance)
    since = world.day(chance)
    asked = f"patient={world.patient(chance)}&code=http://loinc.org|{code}&date=ge{since}&_count=20"
    return _get(f"Observation?{asked}", token)


def _pages(world: World, token: str, chance: random.Random) -> bytes:
    return _get(f"Observation?patient={world.patient(chance)}&_sort=-date&_count=20", token)


def _identifiers(world: World, token: str, chance: random.Random) -> bytes:
    return _get(f"Patient?identifier=urn:bench|{world.patient(chance)}", token)


def _creates(world: World, token: str, chance: random.Random) -> bytes:
    return _post("/Observation", token, json.dumps(world.observation(chance)).encode())


def _transactions(world: World, token: str, chance: random.Random) -> bytes:
    entry = [
        {"resource": world.observation(chance), "request": {"method": "POST", "url": "Observation"}}
        for _ in range(50)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    return _post("", token, json.dumps(bundle).encode())


OPERATIONS: dict[str, tuple[Callable[[World, str, random.Random], bytes], int]] = {
    "read by id": (_reads, 1),
    "search patient+code+date": (_searches, 1),
    "search patient, 20 newest": (_pages, 1),
    "search identifier": (_identifiers, 1),
    "create": (_creates, 1),
    "transaction of 50, a resource": (_transactions, 50),
}
"""Each operation's requests, and how many resources one request carries."""


def main() -> None:
    """Arguments: operation, port, file with the token, seconds, connections, seed; prints the result as JSON."""
    name, port, token, seconds, connections, seed = sys.argv[1:]
    make, _ = OPERATIONS[name]
    chance = random.Random(int(seed))
    world = World(*json.loads(sys.stdin.readline()))
    secret = Path(token).read_text().strip()
    ready = [make(world, secret, chance) for _ in range(20_000 if "50" not in name else 400)]
    result = asyncio.run(drive(int(port), itertools.cycle(ready), float(seconds), int(connections)))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()

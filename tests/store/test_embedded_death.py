"""The embedded PostgreSQL when something is killed by force: nothing is left behind and nothing is lost."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from commonweal.store import embedded
from commonweal.store.embedded import binaries
from tests.store.living import alive

HOLD = """
import sys
from pathlib import Path
from commonweal.store import embedded
with embedded.open(Path(sys.argv[1]), lambda words: None) as server:
    print(*server.pids(), flush=True)
    sys.stdin.read()
"""


def until(seen: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again until it is seen; fail at the deadline."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if seen():
            return
        pause.wait(0.02)
    raise AssertionError(f"not seen within {seconds} s")


@pytest.fixture(scope="module", params=["system", "wheel"])
def origin_and_place(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """One directory for each origin of binaries."""
    path = Path(tempfile.mkdtemp(prefix="cw-"))
    yield request.param, path
    shutil.rmtree(path)


@pytest.fixture
def data(origin_and_place: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory, with the setting that its binaries ask for."""
    monkeypatch.setenv(binaries.SETTING, origin_and_place[0])
    return origin_and_place[1]


def holder(data: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Another command that holds the database, and the processes of the server."""
    command = subprocess.Popen(
        [sys.executable, "-c", HOLD, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    return command, [int(pid) for pid in command.stdout.readline().split()]


def postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


async def write(server: embedded.Database, name: str) -> None:
    connection = await asyncpg.connect(server.dsn(embedded.OWNER))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (name text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", name)
    await connection.close()


async def kept(server: embedded.Database) -> set[str]:
    """What is there; asked again while the server comes back."""
    for _ in range(1500):
        try:
            connection = await asyncpg.connect(server.dsn(embedded.OWNER))
            rows = await connection.fetch("SELECT name FROM kept")
            await connection.close()
            return {row["name"] for row in rows}
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.to_thread(threading.Event().wait, 0.02)
    raise AssertionError("the server did not come back")


def test_kill_9_of_the_command_leaves_no_process(data: Path) -> None:
    command, pids = holder(data)
    assert len(pids) > 2
    command.kill()
    command.wait()
    until(lambda: not any(map(alive, pids)))
    assert not (data / "server.json").exists()


def test_a_command_that_joined_keeps_it_when_the_starter_is_killed_9(data: Path) -> None:
    starter, pids = holder(data)
    joined, same = holder(data)
    assert same[:2] == pids[:2]
    starter.kill()
    starter.wait()
    with embedded.open(data) as server:
        assert not server.started and server.pids()[:2] == tuple(pids[:2])
    joined.kill()
    joined.wait()
    until(lambda: not any(map(alive, pids)))


def test_a_forked_helper_of_a_killed_command_does_not_keep_it(data: Path) -> None:
    forking = HOLD.replace(
        "    sys.stdin.read()", "    import os, signal\n    os.fork() and sys.stdin.read() or signal.pause()"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", forking, data],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert command.stdout is not None
    pids = [int(pid) for pid in command.stdout.readline().split()]
    until(lambda: Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().count(" ") == 2)
    command.kill()
    command.wait()
    until(lambda: not any(map(alive, pids)))
    os.killpg(command.pid, signal.SIGKILL)


async def test_kill_9_of_the_postmaster_is_recovered_from(data: Path) -> None:
    async with embedded.open(data) as server:
        await write(server, "before the postmaster died")
        old = postmaster(data)
        os.kill(old, signal.SIGKILL)
        assert "before the postmaster died" in await kept(server)
        assert postmaster(data) != old
        await write(server, "after it came back")


async def test_kill_9_of_a_backend_is_recovered_from(data: Path) -> None:
    async with embedded.open(data) as server:
        await write(server, "before a backend died")
        connection = await asyncpg.connect(server.dsn())
        os.kill(await connection.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
        assert "before a backend died" in await kept(server)


async def test_kill_9_of_the_watchdog_stops_it_and_a_tended_one_starts_again(data: Path) -> None:
    async with embedded.open(data, lambda words: None) as server:
        await write(server, "before the watchdog died")
        old = server.pids()
        tending = asyncio.create_task(server.tend())
        os.kill(old[0], signal.SIGKILL)
        await asyncio.to_thread(until, lambda: not any(map(alive, old)))
        assert "before the watchdog died" in await kept(server)
        tending.cancel()
        new = server.pids()
        assert new and not set(new) & set(old)
    assert not any(map(alive, new))


async def test_kill_9_of_everything_at_once_is_recovered_from(data: Path) -> None:
    async with embedded.open(data) as server:
        await write(server, "before everything died")
    command, pids = holder(data)
    for pid in (command.pid, *pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    command.wait()
    until(lambda: not any(map(alive, pids)))
    async with embedded.open(data) as server:
        assert server.started and "before everything died" in await kept(server)


def test_kill_9_while_the_database_is_made_is_recovered_from() -> None:
    place = Path(tempfile.mkdtemp(prefix="cw-"))
    command = subprocess.Popen(
        [sys.executable, "-c", HOLD, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    until(lambda: (place / "postgres.new" / "base").exists())
    command.kill()
    command.wait()
    with embedded.open(place, lambda words: None) as server:
        assert server.started
    assert not (place / "postgres.new").exists()
    shutil.rmtree(place)


async def test_an_opening_that_is_given_up_leaves_nothing(data: Path) -> None:
    async def hold() -> None:
        async with embedded.open(data):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(hold())
    await asyncio.to_thread(until, lambda: (data / "server.json").exists())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not (data / "server.json").exists()


def test_ctrl_c_in_the_terminal_reaches_the_command_not_the_database(data: Path) -> None:
    command, pids = holder(data)
    assert os.getsid(command.pid) not in {os.getsid(pid) for pid in pids[:2]}  # watchdog and postmaster
    command.communicate()
    until(lambda: not any(map(alive, pids)))

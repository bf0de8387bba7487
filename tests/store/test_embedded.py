"""The embedded PostgreSQL: found, made, closed to others, shared by commands, and clear when it cannot be had."""

import contextlib
import itertools
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from commonweal.store import embedded
from commonweal.store.embedded import account, binaries, carried, cluster, pidfile, watchdog
from commonweal.store.embedded.directory import Directory
from tests.store.living import alive

SOURCE = Path(embedded.__file__).parents[3]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: needs root")
SYSTEM_PYTHON = "/usr/bin/python3"  # an interpreter that an ordinary account can reach


def until(seen: Callable[[], object], seconds: float = 20) -> None:
    """Look again and again until it is seen; fail at the deadline."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if seen():
            return
        pause.wait(0.02)
    raise AssertionError(f"not seen within {seconds} s")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other accounts can reach the parent of (tmp_path lies in a closed one)."""
    path = Path(tempfile.mkdtemp(prefix="cw-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module", params=["system", "wheel"])
def origin_and_place(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """One directory for each origin of binaries: its database is made once, by the first test."""
    path = Path(tempfile.mkdtemp(prefix="cw-"))
    yield request.param, path
    shutil.rmtree(path)


@pytest.fixture
def made(origin_and_place: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory, with the setting that its binaries ask for."""
    origin, path = origin_and_place
    monkeypatch.setenv(binaries.SETTING, origin)
    if not (path / "postgres").exists():
        with embedded.open(path):
            pass
    return path


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


async def ask(server: embedded.Database, query: str, role: str = embedded.APPLICATION) -> object:
    connection = await asyncpg.connect(server.dsn(role))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_is_durable_checked_and_ordered_by_code_point(made: Path) -> None:
    async with embedded.open(made) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await ask(server, f"SHOW {setting}") == "on", setting
        assert await ask(server, "SHOW server_encoding") == "UTF8"
        assert await ask(server, "SHOW timezone") == "UTC"
        assert await ask(server, "SELECT 'Z' < 'a' AND 'z' < 'é' AND upper('é') = 'É'") is True
        assert str(await ask(server, "SHOW server_version")).startswith(server.version)


async def test_listens_on_a_private_socket_only(made: Path) -> None:
    async with embedded.open(made) as server:
        assert await ask(server, "SHOW listen_addresses") == ""
        assert (
            mode(made / "run" / ".s.PGSQL.5432")
            == mode(made / "run")
            == mode(made / "postgres")
            == mode(made / "log")
            == "0o700"
        )
        assert mode(made) == ("0o710" if os.geteuid() == 0 else "0o700")
        assert mode(made / "database.json") == mode(made / "server.json") == "0o600"
        if os.geteuid() == 0:
            assert (made / "postgres").stat().st_uid != 0


async def test_asks_everyone_for_a_password(made: Path) -> None:
    async with embedded.open(made) as server:
        for role in cluster.ROLES:
            assert await ask(server, "SELECT current_user::text", role) == role
            wrong = server.dsn(role).replace(
                cluster.passwords(Directory(made, account.account_for(made)))[role], "x"
            )
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(wrong)


async def test_the_application_owns_nothing_and_may_only_what_it_is_granted(made: Path) -> None:
    async with embedded.open(made) as server:
        await ask(server, "CREATE TABLE IF NOT EXISTS audit (line text)", embedded.OWNER)
        await ask(server, "GRANT SELECT, INSERT ON audit TO commonweal", embedded.OWNER)
        await ask(server, "INSERT INTO audit VALUES ('seen')")
        for forbidden in (
            "DELETE FROM audit",
            "UPDATE audit SET line = ''",
            "DROP TABLE audit",
            "CREATE TABLE t (x int)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await ask(server, forbidden)
        owned = "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
        assert await ask(server, owned) == 0
        elevated = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = $$%s$$"
        assert await ask(server, elevated % embedded.APPLICATION) is False
        assert await ask(server, elevated % embedded.OWNER) is False


async def test_no_password_is_seen_in_arguments_environments_or_logs(made: Path) -> None:
    secrets = cluster.passwords(Directory(made, account.account_for(made))).values()
    async with embedded.open(made) as server:
        with contextlib.suppress(asyncpg.PostgresError):
            await ask(server, "SELECT 1/0")
        shown = [path.read_text(errors="replace") for path in (made / "log").iterdir()]
        for pid, part in itertools.product(server.pids(), ("cmdline", "environ")):
            # what we may not read ourselves, nobody but root may
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                shown.append(Path(f"/proc/{pid}/{part}").read_text(errors="replace"))
        assert not [secret for secret in secrets if any(secret in text for text in shown)]


async def test_values_of_a_failed_statement_stay_out_of_the_log(made: Path) -> None:
    async with embedded.open(made) as server:
        connection = await asyncpg.connect(server.dsn())
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetchval("SELECT 1 / length(replace($1, $1, ''))", "Nightingale")
        await connection.execute("CREATE TEMP TABLE once (name text UNIQUE)")
        await connection.execute("INSERT INTO once VALUES ($1)", "Nightingale")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO once VALUES ($1)", "Nightingale")
        await connection.close()
    log = "".join(path.read_text() for path in (made / "log").iterdir())
    assert "duplicate key" in log and "Nightingale" not in log


async def test_a_second_command_attaches_and_keeps_it_running_when_the_first_leaves(made: Path) -> None:
    first, second = embedded.Server(made), embedded.Server(made)
    first.start()
    second.start()
    pids = first.pids()
    assert (first.started, second.started) == (True, False)
    assert second.pids()[:2] == pids[:2]
    first.stop()
    assert await ask(second, "SELECT 1") == 1
    second.stop()
    until(lambda: not any(alive(pid) for pid in pids))
    assert not (made / "server.json").exists()


def test_a_stop_waits_for_the_end_and_leaves_nothing(made: Path) -> None:
    with embedded.open(made) as server:
        pids = server.pids()
        assert len(pids) > 2
    assert not [pid for pid in pids if alive(pid)]
    assert not (made / "postgres" / "postmaster.pid").exists()
    assert "was shut down" in control(made)


def test_of_many_starters_one_starts(made: Path) -> None:
    program = "import sys; from pathlib import Path; from commonweal.store import embedded\n"
    program += (
        "with embedded.open(Path(sys.argv[1])) as server: print(server.started, flush=True); sys.stdin.read()"
    )
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", program, made], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    answers = [command.stdout.readline().strip() for command in commands if command.stdout]
    for command in commands:
        command.communicate()
    assert sorted(answers) == ["False"] * 4 + ["True"]
    until(lambda: not (made / "server.json").exists())


def test_a_pid_file_of_a_dead_a_reused_and_a_zombie_process_is_no_obstacle(made: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    owner = (made / "postgres").stat()
    switch = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    reused = subprocess.Popen(["sleep", "60"], **switch)
    zombie = subprocess.Popen(["true"], **switch)
    until(lambda: Path(f"/proc/{zombie.pid}/stat").read_text().split()[2] == "Z")
    for process in (ended, reused, zombie):
        left_behind = made / "postgres" / "postmaster.pid"
        left_behind.write_text(f"{process.pid}\n{made}/postgres\n1\n5432\n{made}/run\n\n  0 0\nready\n")
        os.chown(left_behind, owner.st_uid, owner.st_gid)
        with embedded.open(made) as server:
            assert server.started
    reused.kill()
    reused.wait()
    zombie.wait()


def test_a_server_started_by_hand_is_not_run_over(made: Path) -> None:
    by_hand = subprocess.Popen(["sleep", "60"], cwd=made / "postgres")
    (made / "postgres" / "postmaster.pid").write_text(f"{by_hand.pid}\n")
    with pytest.raises(embedded.DatabaseUnavailable, match=f"kill -INT {by_hand.pid}"):
        pidfile.clear(made / "postgres", made / "run" / "none")
    by_hand.kill()
    by_hand.wait()
    (made / "postgres" / "postmaster.pid").unlink()


def test_a_long_path_gets_a_short_socket(place: Path) -> None:
    place.chmod(0o755)
    deep = place / ("long" * 30)
    with embedded.open(deep) as server:
        socket = next(part[5:] for part in server.dsn().split("?")[1].split("&") if part.startswith("host="))
        short = Path(socket.replace("%2F", "/"))
        assert short.is_dir() and mode(short) == "0o700" and not short.is_relative_to(place)
    assert not short.exists()


def test_a_start_that_postgresql_refuses_is_told_in_its_words(made: Path) -> None:
    local = made / "postgresql.local.conf"
    local.write_text("shared_buffers = nonsense\n")
    local.chmod(0o644)
    try:
        with (
            pytest.raises(embedded.DatabaseUnavailable, match=r"did not start: .*FATAL"),
            embedded.open(made),
        ):
            pass
    finally:
        local.unlink()
    with embedded.open(made) as server:
        assert server.started


def test_a_half_made_database_is_made_anew(place: Path) -> None:
    (place / "postgres.new").mkdir()
    (place / "postgres.new" / "PG_VERSION").write_text("15")
    (place / "lock").touch()
    with embedded.open(place) as server:
        assert server.started
    assert not (place / "postgres.new").exists()


def test_a_database_of_another_version_is_never_opened_by_this_one() -> None:
    with pytest.raises(embedded.DatabaseUnavailable, match="made by PostgreSQL 9"):
        binaries.find(account.account_for(Path("/nowhere")), binaries.Need(9, lz4=False))


def test_a_place_without_binaries_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(binaries.SETTING, "/etc")
    with pytest.raises(embedded.DatabaseUnavailable, match="COMMONWEAL_POSTGRES=/etc"):
        binaries.find(account.account_for(Path("/nowhere")))


def test_binaries_are_found_where_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_in_particular = account.account_for(Path("/nowhere"))
    monkeypatch.delenv(binaries.SETTING, raising=False)
    anywhere = binaries.find(nobody_in_particular)
    assert (anywhere.origin, anywhere.bin.is_symlink()) == ("system", False)
    monkeypatch.setenv(binaries.SETTING, str(anywhere.bin))
    assert binaries.find(nobody_in_particular).origin == "chosen"
    monkeypatch.setenv(binaries.SETTING, "wheel")
    carried_along = binaries.find(nobody_in_particular)
    assert carried_along.origin == "wheel"
    assert binaries.find(nobody_in_particular, binaries.Need(16, lz4=False)).major == 16
    if os.geteuid() == 0:
        assert carried_along.bin.is_relative_to(carried.cache_root())
        assert (carried_along.bin.stat().st_uid, mode(carried_along.bin)) == (0, "0o755")


def test_a_given_database_starts_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONWEAL_DATABASE_URL", "postgresql://elsewhere/db")
    with embedded.open(place) as server:
        assert server.dsn() == server.dsn(embedded.OWNER) == "postgresql://elsewhere/db"
        assert server.pids() == ()
    assert list(place.iterdir()) == []


@AS_ROOT
def test_root_is_told_of_a_directory_its_database_cannot_reach(place: Path) -> None:
    place.chmod(0o700)
    with pytest.raises(embedded.DatabaseUnavailable) as refusal, embedded.open(place / "within" / "data"):
        pass
    assert f"cannot enter {place}," in str(refusal.value) and "/var/lib/commonweal" in str(refusal.value)
    assert mode(place) == "0o700" and list(place.iterdir()) == []


@AS_ROOT
def test_a_directory_full_of_other_things_is_left_as_it_is(place: Path) -> None:
    (place / "somebody's file").touch()
    with pytest.raises(embedded.DatabaseUnavailable, match="cannot enter"), embedded.open(place):
        pass
    assert mode(place) == "0o700" and place.stat().st_gid == os.getegid()


@AS_ROOT
def test_the_default_place_is_in_the_checkout_unless_that_is_closed(place: Path) -> None:
    place.chmod(0o755)
    assert embedded.default_data_dir(place) == place / ".data"
    place.chmod(0o700)
    outside = embedded.default_data_dir(place)
    assert outside == Path("/var/lib/commonweal") / "-".join(place.parts[1:])
    embedded.prepare(outside)
    assert mode(place) == "0o700"
    shutil.rmtree(outside)


def as_nobody(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """An ordinary user's command, with the system's Python and our sources."""
    site = Path(asyncpg.__file__).parents[1]
    ours = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{SOURCE}:{site}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [SYSTEM_PYTHON, *map(str, arguments)], env=ours | environment, cwd="/", capture_output=True, text=True,
        user="nobody", group=account.Account("", 65534, 65534).gid, extra_groups=[],
    )  # fmt: skip


@pytest.fixture
def ordinary() -> None:
    if os.geteuid() != 0 or not Path(SYSTEM_PYTHON).exists():
        pytest.skip("NOT RUN: needs root, to become an ordinary user, and a Python that user can run")


OPENED = """
import os, sys
from pathlib import Path
from commonweal.store import embedded
try:
    with embedded.open(Path(sys.argv[1]), lambda words: None) as server:
        print("opened", server.started, Path(sys.argv[1], "postgres").stat().st_uid == os.geteuid())
except embedded.DatabaseUnavailable as refusal:
    print(refusal)
"""


@pytest.mark.usefixtures("ordinary")
@pytest.mark.parametrize("origin", ["system", "wheel"])
def test_an_ordinary_user_runs_it_and_root_joins_in(place: Path, origin: str) -> None:
    place.chmod(0o777)
    told = as_nobody("-c", OPENED, place / "data", COMMONWEAL_POSTGRES=origin)
    assert told.stdout == "opened True True\n", told.stderr
    with embedded.open(place / "data") as server:
        assert (
            server.started
            and Path(f"/proc/{server.pids()[1]}").stat().st_uid == (place / "data").stat().st_uid
        )
    assert as_nobody("-c", OPENED, place / "data", COMMONWEAL_POSTGRES=origin).stdout == "opened True True\n"


@pytest.mark.usefixtures("ordinary")
def test_an_ordinary_user_is_told_of_a_closed_directory(place: Path) -> None:
    told = as_nobody("-c", OPENED, place / "data")
    assert "choose" in told.stdout and str(place) in told.stdout, told.stderr


def test_the_watchdog_needs_nothing_but_the_standard_library() -> None:
    program = Path(watchdog.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", program], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert "JSONDecodeError" in done.stderr


def control(data: Path) -> str:
    log = sorted((data / "log").iterdir(), key=lambda path: path.stat().st_mtime)[-1]
    return "was shut down" if "database system is shut down" in log.read_text() else log.read_text()

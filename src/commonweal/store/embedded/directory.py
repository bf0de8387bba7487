"""The data directory: its layout, who may enter it, and where its socket lies.

DIR/              ours, 0700; for root 0710 with the group of the PostgreSQL account, which may pass through
DIR/postgres/     PostgreSQL's own files, 0700, owned by the account it runs as
DIR/log/          its logs, 0700, likewise
DIR/run/          its socket, 0700, likewise (elsewhere when the path would be too long for a socket)
DIR/database.json what was made here and the passwords of the three roles, 0600
DIR/server.json   how to reach the server that runs now, 0600
"""

import hashlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonweal.store.embedded.account import Account
from commonweal.store.embedded.failure import DatabaseUnavailable
from commonweal.store.embedded.probe import socket_file

_LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
_MARK = "lock"


@dataclass(frozen=True, slots=True)
class Directory:
    """One data directory and the account its database belongs to."""

    path: Path
    account: Account

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def lock(self) -> Path:
        return self.path / _MARK

    @property
    def users(self) -> Path:
        return self.path / "users"

    @property
    def made(self) -> Path:
        return self.path / "database.json"

    @property
    def running(self) -> Path:
        return self.path / "server.json"

    def prepare(self) -> None:
        """Make what is missing; never touch the mode of a directory above, nor of one that is not ours."""
        try:
            exists = self.path.exists()
            ours = not exists or self.lock.exists() or not os.listdir(self.path)
            self._check_the_way_in(self.path if exists and not ours else self.path.parent)
            self._make()
            if ours:
                self._close()
            self._check_the_way_in(self.path)
            self.give(self.path / "log")
        except NotADirectoryError as error:
            raise DatabaseUnavailable(f"{self.path} is a file: choose a directory for --data.") from error
        except PermissionError as error:
            raise DatabaseUnavailable(
                f"{error.filename or self.path} cannot be used by this account: "
                "choose a --data directory of your own."
            ) from error

    def give(self, directory: Path) -> Path:
        """A directory of the PostgreSQL account, closed to all others."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.account.switching and directory.stat().st_uid != self.account.uid:
            os.chown(directory, self.account.uid, self.account.gid)
        return directory

    def socket_directory(self) -> Path:
        """Where the socket goes: DIR/run, or a short private directory when that path is too long."""
        if len(os.fsencode(socket_file(self.path / "run"))) <= _LONGEST_SOCKET:
            return self.give(self.path / "run")
        name = f"commonweal-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"
        short = self.give(_runtime_root(self.account) / name)
        status = short.lstat()
        if short.is_symlink() or status.st_uid != self.account.uid or status.st_mode & 0o077:
            raise DatabaseUnavailable(
                f"{short} belongs to someone else: remove it, or use a shorter --data path."
            )
        return short

    def write(self, path: Path, text: str, *, for_postgres: bool = False) -> None:
        """Replace a file in one step: readable by us alone, or by the PostgreSQL account as well."""
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=self.path)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            if for_postgres and self.account.switching:
                os.fchown(handle, os.geteuid(), self.account.gid)
                os.fchmod(handle, 0o640)
            os.fsync(handle)
        os.replace(scratch, path)

    def read(self, path: Path) -> dict[str, Any] | None:
        """A JSON file of ours, or None where it is not there (yet)."""
        try:
            found: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise DatabaseUnavailable(
                f"{path} belongs to another account: run as the one that made it."
            ) from error
        return found

    def _make(self) -> None:
        """Directories that were missing above it are ours to make: root lets others pass through them."""
        for missing in [place for place in reversed(self.path.parents) if not place.exists()]:
            missing.mkdir()
            if self.account.switching:
                missing.chmod(0o711)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def _close(self) -> None:
        if self.account.switching:
            os.chown(self.path, -1, self.account.gid)
        self.path.chmod(0o710 if self.account.switching else 0o700)

    def _check_the_way_in(self, directory: Path) -> None:
        nearest = next(place for place in (directory, *directory.parents) if place.exists())
        if blocked := self.account.blocked_at(nearest):
            raise DatabaseUnavailable(_unreachable(blocked, self.path, self.account))


def _unreachable(blocked: Path, data: Path, account: Account) -> str:
    if not account.switching:
        return f"{blocked} cannot be entered by this account: choose another --data directory."
    return (
        f"PostgreSQL, started by root, runs as '{account.name}', and '{account.name}' cannot enter {blocked}, "
        f"where --data {data} lies: choose a --data directory outside it, such as {default_root()}, "
        "or run as an ordinary user."
    )


def default_root() -> Path:
    """Where root keeps data that must not lie in a closed home."""
    return Path(
        "/Library/Application Support/commonweal" if sys.platform == "darwin" else "/var/lib/commonweal"
    )


def _runtime_root(account: Account) -> Path:
    if account.switching:
        return Path("/run" if Path("/run").is_dir() else "/var/run")
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(own) if own and Path(own).is_dir() else Path(tempfile.gettempdir())

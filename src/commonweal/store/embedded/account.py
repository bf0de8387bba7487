"""The operating system account PostgreSQL runs as, and whether that account can reach a directory."""

import errno
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonweal.store.embedded.failure import DatabaseUnavailable

# PostgreSQL needs nothing of our environment; its messages and its clock are the same everywhere.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who the database processes run as; `switching` when that is not who we are (we are root)."""

    name: str
    uid: int
    gid: int

    @property
    def switching(self) -> bool:
        return self.uid != os.geteuid()

    def run(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, from a directory that everyone can enter."""
        if self.switching:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        try:
            return subprocess.run(
                [str(part) for part in command],
                capture_output=True, text=True, cwd="/", env=ENVIRONMENT, umask=0o077, **options,
            )  # fmt: skip
        except OSError as error:
            if self.switching and error.errno in (errno.EPERM, errno.EINVAL):
                raise DatabaseUnavailable(
                    f"Root cannot become '{self.name}' here, and PostgreSQL refuses to run as root: "
                    "run as an ordinary user, or set COMMONWEAL_DATABASE_URL."
                ) from error
            raise

    def blocked_at(self, directory: Path) -> Path | None:
        """The first directory on the way to (and including) an existing `directory` that we may not enter."""
        steps = [*reversed(directory.parents), directory]
        script = 'for step do cd -- "$step" 2>/dev/null || { printf %s "$step"; exit; }; done'
        blocked = self.run("/bin/sh", "-c", script, "sh", *steps).stdout
        return Path(blocked) if blocked else None


def current() -> Account:
    """The account of this process."""
    return _by_uid(os.geteuid(), os.getegid())


def account_for(data: Path) -> Account:
    """Ourselves; for root the owner of the existing database, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return current()
    database = data / "postgres"
    if database.is_dir() and (owner := database.stat().st_uid) != 0:
        return _by_uid(owner, database.stat().st_gid)
    for name in ("postgres", "nobody"):
        try:
            return _known(pwd.getpwnam(name))
        except KeyError:
            continue
    raise DatabaseUnavailable(
        "PostgreSQL refuses to run as root and there is no account 'postgres' or 'nobody': "
        "add one, or run as an ordinary user."
    )


def _known(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _by_uid(uid: int, gid: int) -> Account:
    try:
        return _known(pwd.getpwuid(uid))
    except KeyError:
        return Account(f"#{uid}", uid, gid)

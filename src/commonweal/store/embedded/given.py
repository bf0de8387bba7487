"""A PostgreSQL that somebody else runs: nothing is started, nothing is stopped."""

import os

from commonweal.store.embedded.cluster import OWNER

URL = "COMMONWEAL_DATABASE_URL"
OWNER_URL = "COMMONWEAL_DATABASE_OWNER_URL"


class Given:
    """The database of COMMONWEAL_DATABASE_URL; COMMONWEAL_DATABASE_OWNER_URL, where set, is for migrations."""

    version = ""  # only the server knows; ask it with SHOW server_version
    started = False

    def dsn(self, role: str = "") -> str:
        """The address as it was given; the owner's own where there is one."""
        own = os.environ.get(OWNER_URL, "") if role == OWNER else ""
        return own or os.environ[URL]

    def pids(self) -> tuple[int, ...]:
        """None of its processes are ours."""
        return ()

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It runs on."""

    def give_up(self) -> None:
        """There is nothing to wait for."""

    async def tend(self) -> None:
        """Its operator tends it."""

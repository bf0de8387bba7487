"""PostgreSQL without an administrator: found or carried along, made, started, shared and stopped by us.

    async with embedded.open(Path("data")) as server:
        pool = await asyncpg.create_pool(server.dsn())

A database lives exactly as long as a command holds it. The first command that opens a data directory starts
PostgreSQL, further ones attach to it; whoever leaves last, in whatever way, ends it.
"""

import os
from collections.abc import Callable
from pathlib import Path

from commonweal.store.embedded.account import account_for
from commonweal.store.embedded.cluster import ADMIN, APPLICATION, OWNER
from commonweal.store.embedded.directory import Directory, default_root
from commonweal.store.embedded.failure import DatabaseUnavailable
from commonweal.store.embedded.given import URL, Given
from commonweal.store.embedded.server import Database, Opening, Server, say_on_stderr

__all__ = [
    "ADMIN",
    "APPLICATION",
    "OWNER",
    "Database",
    "DatabaseUnavailable",
    "Server",
    "default_data_dir",
    "open",
    "prepare",
]


def open(data: Path, say: Callable[[str], None] = say_on_stderr) -> Opening:
    """The database in `data`, for `with` and `async with`; that of COMMONWEAL_DATABASE_URL where it is set.

    Raises DatabaseUnavailable, whose text is one sentence that says what to do.
    """
    if os.environ.get(URL):
        return Opening(Given)
    return Opening(lambda: Server(data, say))


def prepare(data: Path) -> None:
    """Make and check the data directory alone: for whoever writes into it before the database is opened."""
    Directory(Path(os.path.abspath(data)), account_for(data)).prepare()


def default_data_dir(checkout: Path | None = None) -> Path:
    """`.data` in the checkout; for root, where the database's account cannot get there, a place outside."""
    checkout = (checkout or Path.cwd()).absolute()
    data = checkout / ".data"
    if os.geteuid() != 0 or account_for(data).blocked_at(checkout) is None:
        return data
    root = default_root()
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    return root / "-".join(checkout.parts[1:])

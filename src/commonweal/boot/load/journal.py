"""What a load remembers between runs: how far each file has come, which urls became which references, and
which resources wait for a url not seen yet. One SQLite file beside the installation or in the user's cache."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from commonweal.boot.load.sources import Source

SCHEMA = """
create table if not exists done (path text primary key, items integer not null);
create table if not exists url (full text primary key, reference text not null) without rowid;
create table if not exists waiting (place text primary key, body blob not null);
"""


RECENT = 200_000
"""Urls kept in memory: references mostly lead to what was read shortly before."""


class Journal:
    """Opened for one set of files; the same files unchanged find the same journal again."""

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = sha256(
            "\n".join(f"{s.path.absolute()} {s.size} {s.changed}" for s in sources).encode("utf-8", "replace")
        ).hexdigest()[:16]
        self.path = folder / f"{name}.sqlite"
        self._database = sqlite3.connect(self.path, isolation_level=None)
        self._database.execute("pragma journal_mode=wal")
        self._database.execute(
            "pragma synchronous=normal"
        )  # a crash loses the newest at most: done again, no more
        self._database.executescript(SCHEMA)
        self._recent: dict[str, str] = {}

    def done(self, source: Source) -> int:
        """How many items of a file were settled before."""
        row = self._database.execute("select items from done where path = ?", [source.place]).fetchone()
        return int(row[0]) if row else 0

    def settle(self, done: Mapping[str, int]) -> None:
        """These files have come so far; told only after what they held is committed in the record."""
        self._many("insert or replace into done values (?, ?)", done.items())

    def learn(self, urls: Mapping[str, str]) -> None:
        """These urls became these references ("Type/id")."""
        self._many("insert or replace into url values (?, ?)", urls.items())
        if len(self._recent) > RECENT:
            self._recent.clear()
        self._recent.update(urls)

    def references(self, urls: Iterable[str]) -> dict[str, str]:
        """What is known of these urls."""
        found = {}
        for url in urls:
            if url in self._recent:
                found[url] = self._recent[url]
                continue
            row = self._database.execute("select reference from url where full = ?", [url]).fetchone()
            if row:
                found[url] = str(row[0])
        return found

    def wait(self, items: Collection[tuple[str, bytes]]) -> None:
        """Keep (place, text) until every file has been read."""
        self._many("insert or replace into waiting values (?, ?)", items)

    def waiting(self) -> Iterator[tuple[str, bytes]]:
        """All that waits."""
        yield from self._database.execute("select place, body from waiting order by rowid")

    def finish(self) -> None:
        """The load is complete; nothing is left to resume."""
        self._database.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        self._database.close()

    def _many(self, statement: str, rows: Collection[Sequence[object]]) -> None:
        if not rows:
            return
        self._database.execute("begin")
        self._database.executemany(statement, rows)
        self._database.execute("commit")

"""Drawers in memory, encrypted like those on PostgreSQL: the plain reference, and what a trial uses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commonweal.identity.drawers import FOREVER, Entry, Taken
from commonweal.store.drawers.sealing import Sealer


@dataclass(slots=True)
class _Row:
    owner: str
    until: int
    version: int
    key: str
    sealed: bytes


class MemoryDrawers:
    """Nothing here waits, so every call is one step. `now` gives microseconds."""

    def __init__(self, sealer: Sealer, now: Callable[[], int]) -> None:
        self._sealer = sealer
        self._now = now
        self._rows: dict[tuple[str, str], _Row] = {}

    async def get(self, kind: str, id: str) -> Entry | None:
        row = self._current(kind, id)
        return self._entry(kind, id, row) if row else None

    async def put(
        self,
        kind: str,
        id: str,
        data: bytes,
        *,
        owner: str = "",
        until: int = FOREVER,
        version: int | None = None,
    ) -> int:
        current = self._current(kind, id)
        if version is not None and version != (current.version if current else 0):
            raise Taken
        there = self._rows.get((kind, id))
        row = _Row(owner, until, there.version + 1 if there else 1, *self._sealer.seal(kind, id, data))
        self._rows[kind, id] = row
        return row.version

    async def take(self, kind: str, id: str) -> Entry | None:
        entry = await self.get(kind, id)
        self._rows.pop((kind, id), None)
        return entry

    async def of(self, kind: str, owner: str) -> Sequence[Entry]:
        return [entry for entry in await self._all(kind) if entry.owner == owner]

    async def page(self, kind: str, after: str = "", limit: int = 100) -> Sequence[Entry]:
        return [entry for entry in await self._all(kind) if entry.id > after][:limit]

    async def remove(self, kind: str, id: str) -> bool:
        was = self._current(kind, id)
        self._rows.pop((kind, id), None)
        return was is not None

    async def remove_of(self, kind: str, owner: str) -> int:
        gone = [entry.id for entry in await self.of(kind, owner)]
        for id in gone:
            del self._rows[kind, id]
        return len(gone)

    async def count(self, kind: str, id: str, until: int) -> int:
        row = self._current(kind, id)
        if row is None:
            row = self._rows[kind, id] = _Row("", until, 0, "", b"")
        row.version += 1
        return row.version

    async def expire(self) -> int:
        gone = [place for place, row in self._rows.items() if row.until <= self._now()]
        for place in gone:
            del self._rows[place]
        return len(gone)

    async def reseal(self, limit: int = 500) -> int:
        """Encrypt with the current key what an older one encrypted; how many, at most `limit`, that were."""
        current = self._sealer.current
        old = [(place, row) for place, row in self._rows.items() if row.key not in ("", current)][:limit]
        for (kind, id), row in old:
            row.key, row.sealed = self._sealer.seal(
                kind, id, self._sealer.open(kind, id, row.key, row.sealed)
            )
        return len(old)

    async def _all(self, kind: str) -> list[Entry]:
        places = sorted(place for place in self._rows if place[0] == kind)
        found = [await self.get(*place) for place in places]
        return [entry for entry in found if entry]

    def _current(self, kind: str, id: str) -> _Row | None:
        row = self._rows.get((kind, id))
        return row if row and row.until > self._now() else None

    def _entry(self, kind: str, id: str, row: _Row) -> Entry:
        data = self._sealer.open(kind, id, row.key, row.sealed) if row.key else b""
        return Entry(id, data, row.version, row.owner, row.until)

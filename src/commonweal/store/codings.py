"""The distinct sets of codings by which records say what they are; a row names its set, so that one btree
(what, when) finds it by any coding of the set."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

Connection = Any
MOST = 20_000
"""Sets of one type that are kept in mind; a type with more is searched by its hashes alone."""
PATIENCE = 1.0
"""Seconds between two looks of a writer."""
CHANGED = """
select pg_snapshot_xmin(pg_current_snapshot()) as xmin,
    exists (select from record.coding where xid >= $1::xid8) as changed"""
ALL = "select set, type, tok, xid < $1::xid8 as settled from record.coding"


class Codings:
    """A copy of record.coding. Only transactions still open when it was read can have added to it since."""

    def __init__(self) -> None:
        self._by_hash: Mapping[str, Mapping[int, list[int]]] = {}
        self._settled: frozenset[int] = frozenset()
        self._xmin = 0
        self._missed = False
        self._looked = -PATIENCE

    def is_settled(self, set: int) -> bool:
        """Is the set in the table for good? Else whoever writes it puts it there (again)."""
        settled = set in self._settled
        self._missed |= not settled
        return settled

    @property
    def is_due(self) -> bool:
        """Would a writer do well to look what has settled in the meantime?"""
        return self._missed and time.monotonic() - self._looked >= PATIENCE

    def sets(self, type: str, hashes: Iterable[int]) -> list[int] | None:
        """The sets that hold any of these hashes; None when the type has too many to know."""
        known = self._by_hash.get(type, {})
        if len(known) > MOST * 3:
            return None
        return sorted({each for hash in hashes for each in known.get(hash, ())})

    async def refresh(self, connection: Connection) -> None:
        """Take over what was added. What this transaction adds itself is seen, but not relied on."""
        self._looked, self._missed = time.monotonic(), False
        row = await connection.fetchrow(CHANGED, self._xmin)
        if row["changed"]:
            by_hash: dict[str, dict[int, list[int]]] = {}
            rows = await connection.fetch(ALL, row["xmin"])
            for each in rows:
                for hash in each["tok"]:
                    by_hash.setdefault(each["type"], {}).setdefault(hash, []).append(each["set"])
            self._by_hash = by_hash
            self._settled = frozenset(each["set"] for each in rows if each["settled"])
        self._xmin = row["xmin"]

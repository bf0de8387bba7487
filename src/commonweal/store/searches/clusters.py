"""People found to be one: a search by any of their ids finds the records about all of them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

Connection = Any
PATIENCE = 1.0
"""Seconds after which a process looks whether another one has changed the map."""
CHANGED = """
select pg_snapshot_xmin(pg_current_snapshot()) as xmin,
    exists (select from record.person_link where xid >= $1::xid8) as changed"""
LINK = """
insert into record.person_link (patient, cluster, reference)
select p.patient, $2, p.reference from unnest($1::int8[], $3::text[]) p(patient, reference)
on conflict (patient) do update set cluster = excluded.cluster, xid = default"""


class Clusters:
    """A copy of record.person_link, as far as it links anybody: while it is empty it costs nothing.

    Only transactions that were still open when it was read can have added anything to it since.
    """

    def __init__(self) -> None:
        self._members: Mapping[int, frozenset[int]] = {}
        self._xmin = 0
        self._looked = -PATIENCE
        self._doubtful = False

    def __bool__(self) -> bool:
        return bool(self._members)

    def widened(self, patients: Iterable[int]) -> frozenset[int]:
        """These and whoever is one with them."""
        return frozenset().union(*(self._members.get(each, (each,)) for each in patients))

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._looked >= PATIENCE

    async def refresh(self, lent: AbstractAsyncContextManager[Connection]) -> None:
        """Take over what has changed."""
        self._looked = time.monotonic()
        async with lent as connection:
            row = await connection.fetchrow(CHANGED, self._xmin)
            if row["changed"] or self._doubtful:
                self._doubtful = False
                self._members = _members(
                    await connection.fetch("select patient, cluster from record.person_link")
                )
            self._xmin = row["xmin"]

    def look_again(self) -> None:
        """This process has changed the map itself, or had begun to: what was read meanwhile may be undone."""
        self._looked, self._doubtful = -PATIENCE, True


async def link(connection: Connection, patients: Sequence[tuple[int, str]], cluster: int) -> None:
    """Put patients (hash and reference) into a cluster; into one of its own, to part it from the others."""
    await connection.execute(LINK, [hash for hash, _ in patients], cluster, [name for _, name in patients])


def _members(rows: Iterable[Mapping[str, int]]) -> Mapping[int, frozenset[int]]:
    clusters: dict[int, set[int]] = {}
    for row in rows:
        clusters.setdefault(row["cluster"], set()).add(row["patient"])
    return {one: frozenset(all) for all in clusters.values() if len(all) > 1 for one in all}

"""People found to be one: a search by any of their ids finds the records about all of them."""

from collections.abc import Iterable, Mapping
from typing import Any

Connection = Any
LINKS = "select patient, cluster, xid from record.person_link"


class Clusters:
    """A copy of record.person_link. It is asked for anew when a search meets a link that it does not know."""

    def __init__(self) -> None:
        self._members: Mapping[int, frozenset[int]] = {}

    @classmethod
    async def load(cls, connection: Connection) -> "Clusters":
        found = cls()
        members: dict[int, set[int]] = {}
        for row in await connection.fetch("select patient, cluster from record.person_link"):
            members.setdefault(row["cluster"], set()).add(row["patient"])
        found._members = {one: frozenset(all) for all in members.values() for one in all}
        return found

    def widened(self, patients: Iterable[int]) -> frozenset[int]:
        """These and whoever is one with them."""
        return frozenset().union(*(self._members.get(each, (each,)) for each in patients))

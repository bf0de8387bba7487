"""Where everything is kept that is no resource: accounts, sessions, codes, clients, counters; a port."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

FOREVER = 2**63 - 1


class Taken(Exception):
    """Somebody changed it first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one drawer holds. `version` grows with every change; `until` is microseconds since the epoch, UTC, from
    which on nothing is there."""

    id: str
    data: bytes = field(repr=False)
    version: int
    owner: str
    until: int


class Drawers(Protocol):
    """Drawers by kind and id; `data` is encrypted as a whole, while kind, id and owner are kept as they are: put no
    secret there but its keyed hash (`Identity.hashed`)."""

    async def get(self, kind: str, id: str) -> Entry | None:
        """What is there now; None when nothing is, or no longer."""

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
        """Put it there; the new version. `version`: the one that must be current (0: nothing may be there), Taken
        else."""

    async def take(self, kind: str, id: str) -> Entry | None:
        """Take it away; exactly one of several callers gets it."""

    async def of(self, kind: str, owner: str) -> Sequence[Entry]:
        """All of one owner, in order of id."""

    async def page(self, kind: str, after: str = "", limit: int = 100) -> Sequence[Entry]:
        """All of one kind in order of id, from behind `after`."""

    async def remove(self, kind: str, id: str) -> bool:
        """Was there anything to remove?"""

    async def remove_of(self, kind: str, owner: str) -> int:
        """Remove all of one owner; how many there were."""

    async def count(self, kind: str, id: str, until: int) -> int:
        """One more, and how many that makes; the count starts again once its `until` (that of the first) is past.

        `get` tells a counter's `until`, with the count as its version and no data.
        """

    async def expire(self) -> int:
        """Throw away what nobody can get any more; how many there were. The worker does so every hour."""

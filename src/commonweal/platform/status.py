"""How the installation is doing, as the store tells it at one moment; every number is of that moment."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """Current records of one type, deleted ones included; `exact` False: the database's own estimate."""

    type: str
    records: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """How far one service has come in hearing what happened. `behind`: notices it has not handled, counted
    up to a limit (`exact` False: there are more); `oldest`: when the first of them was told; `parked`: those
    given up after several tries."""

    name: str
    behind: int
    exact: bool
    oldest: int | None
    parked: int


@dataclass(frozen=True, slots=True)
class Held:
    """A lease: what one process does for all, who does it, and until when it may (microseconds)."""

    name: str
    holder: str
    until: int


@dataclass(frozen=True, slots=True)
class Reindexing:
    """A type whose rows are indexed anew: by which parameters older ones may not be found until it is done,
    how many were looked at, and how many of them had to be changed."""

    type: str
    names: Sequence[str]
    seen: int
    changed: int


@dataclass(frozen=True, slots=True)
class Status:
    """Times are microseconds since the epoch by the database's clock; None: there is none yet."""

    at: int
    database: str
    bytes: int
    counts: Sequence[Count]
    readers: Sequence[Reader]
    leases: Sequence[Held]
    timers: int
    timers_due: int
    next_timer: int | None
    audited: int | None
    sealed: int | None
    unsealed: int
    unsealed_exact: bool
    reindexing: Sequence[Reindexing] = ()

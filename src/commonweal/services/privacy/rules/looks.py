"""Who has looked: rows of the journal as a person reads them, day by day, one line for what one did in one capacity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from commonweal.platform.journal import Entry
from commonweal.services.privacy.rules import duties

Json = dict[str, Any]
WRITES = frozenset(("create", "update", "delete", "transaction", "import"))
ITSELF = "system"
"""Beginning of the names under which the platform acts by itself."""


@dataclass(slots=True)
class Look:
    """What one agent did in one capacity on one day. `kinds`: types of what was seen or written, with how often;
    `key` is that of the last of its entries, `task` the emergency access by which it was possible."""

    agent: str
    organization: str
    role: str
    purpose: str
    client: str
    key: str
    first: datetime
    last: datetime
    refused: bool
    times: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    writes: bool = False
    because: list[str] = field(default_factory=list)
    task: Json | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """All of one day (UTC), the last first."""

    day: str
    looks: Sequence[Look]


def days(entries: Iterable[Entry], tasks: Sequence[Json]) -> list[Day]:
    """The entries, newest first, as days; `tasks`: the emergency accesses to this record."""
    found: dict[tuple[Any, ...], Look] = {}
    for entry in entries:
        at = datetime.fromtimestamp(entry.at / 1_000_000, UTC)
        task = emergency_of(entry, tasks)
        who = (entry.agent, entry.organization, entry.role, entry.purpose, entry.client)
        name = (f"{at:%Y-%m-%d}", *who, entry.outcome >= 400, task["id"] if task else "")
        look = found.get(name) or Look(*who, entry.key, at, at, entry.outcome >= 400, task=task)
        found[name] = look
        _count(look, entry, at)
    by_day: dict[str, list[Look]] = {}
    for name, look in found.items():
        by_day.setdefault(str(name[0]), []).append(look)
    return [Day(day, looks) for day, looks in by_day.items()]


def _count(look: Look, entry: Entry, at: datetime) -> None:
    look.first = min(look.first, at)
    look.times += 1
    look.writes |= entry.interaction in WRITES
    for type in types(entry):
        look.kinds[type] = look.kinds.get(type, 0) + 1
    if entry.because and entry.because not in look.because:
        look.because.append(entry.because)


def types(entry: Entry) -> list[str]:
    """The types of what an entry is about, each once."""
    named = [each.partition("/")[0] for each in entry.entities] or ([entry.type] if entry.type else [])
    return list(dict.fromkeys(named))


def emergency_of(entry: Entry, tasks: Sequence[Json]) -> Json | None:
    """The emergency access that was open for this agent at that time."""
    at = datetime.fromtimestamp(entry.at / 1_000_000, UTC)
    mine = (each for each in tasks if each.get("requester", {}).get("reference") == entry.agent)
    return next((each for each in mine if duties.is_open(each, at.replace(microsecond=0))), None)


def is_wanted(entry: Entry, me: str, mine: bool, itself: bool) -> bool:
    """Is it shown: what others did always, one's own and the platform's only where they are asked for?"""
    if entry.agent == me:
        return mine
    return itself or not entry.agent.startswith(ITSELF)

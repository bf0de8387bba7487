"""The journal in memory: the plain reference of what can be asked of the audit."""

from collections.abc import Iterator, Sequence

from commonweal.platform.journal import KEY, OUTCOMES, Asked, Chain, Entry
from commonweal.platform.ports import Audited
from commonweal.store.audit.journal import CURSOR, LARGEST, PLAIN, WRITES, place
from commonweal.store.memory.store import MemoryStore

Row = tuple[int, int, Audited]
"""Its number, when, and what."""


class MemoryJournal:
    """`Journal` over a MemoryStore; its rows need no seal, since nobody can reach behind it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def entries(self, asked: Asked) -> Sequence[Entry]:
        if asked.key is not None:
            place(KEY.fullmatch(asked.key), "key")
        cursor = place(CURSOR.fullmatch(asked.cursor), "cursor") if asked.cursor is not None else None
        own = self._one(asked.patient) if asked.patient is not None else frozenset[int]()
        names = self._names()
        if asked.patient is not None:
            names.setdefault(self._store.tokens.self(asked.patient), asked.patient)
        found = [
            _entry(row, names, own)
            for row in self._rows()
            if _holds(asked, row)
            and (asked.patient is None or own.intersection(row[2].patients))
            and asked.key in (None, f"1-{row[0]}")
            and (cursor is None or (row[1], 1, row[0]) < cursor)
        ]
        return found[: min(max(asked.limit, 1), LARGEST)]

    async def chain(self) -> Chain:
        return Chain()

    def _rows(self) -> Sequence[Row]:
        """Newest first."""
        rows = [(number, at, row) for number, (at, row) in enumerate(self._store.audited, 1)]
        return sorted(rows, key=lambda row: (row[1], row[0]), reverse=True)

    def _one(self, patient: str) -> frozenset[int]:
        """Whoever is one person with a patient, as hashes."""
        person = next((each for each in self._store.state.people() if patient in each), {patient})
        return frozenset(map(self._store.tokens.self, person))

    def _names(self) -> dict[int, str]:
        known = {f"Patient/{id}" for type, id in self._store.state.versions if type == "Patient"}
        known.update(*self._store.state.people())
        return {self._store.tokens.self(each): each for each in known}


def _holds(asked: Asked, row: Row) -> bool:
    return all(_conditions(asked, row[1], row[2]))


def _conditions(asked: Asked, at: int, row: Audited) -> Iterator[bool]:
    yield asked.since <= at < asked.until
    for name in PLAIN:
        yield getattr(asked, name) in (None, getattr(row, name))
    yield not asked.interactions or row.interaction in asked.interactions
    yield not asked.writes or (row.interaction in WRITES and row.outcome < 400)
    if asked.outcome is not None:
        low, high = OUTCOMES[asked.outcome]
        yield low <= row.outcome < high
    yield asked.entity is None or asked.entity in (*row.entities, row.query)


def _entry(row: Row, names: dict[int, str], own: frozenset[int]) -> Entry:
    number, at, audited = row
    return Entry(
        key=f"1-{number}",
        at=at,
        work=audited.work,
        agent=audited.agent,
        purpose=audited.purpose,
        interaction=audited.interaction,
        type=audited.type,
        query=audited.query,
        entities=audited.entities,
        patients=tuple(names[each] for each in audited.patients if each in names),
        because=audited.because,
        outcome=audited.outcome,
        role=audited.role,
        organization=audited.organization,
        client=audited.client,
        session=audited.session,
        address=audited.address,
        hashes=audited.patients,
        others=len(set(audited.patients) - own) if own else 0,
    )

"""The feed of the store in memory: the same promises, kept in dictionaries."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Lease, Timer
from commonweal.platform.topic import Notice, Position
from commonweal.store.memory.store import MemoryStore, system_clock

DELAYS = (1.0, 5.0, 30.0, 120.0)


@dataclass(slots=True)
class Owed:
    """A notice that a reader passed without handling, or failed at."""

    notice: Notice
    attempts: int = 0
    not_before: int = 0
    parked: bool = False
    error: str = ""


@dataclass(slots=True)
class Reader:
    """How far a reader has come, and what it still owes."""

    position: Position = field(default_factory=Position)
    owed: dict[Position, Owed] = field(default_factory=dict)

    def held(self, now: int) -> set[str]:
        """Subjects that wait: parked, or not yet to be tried again."""
        return {each.notice.subject for each in self.owed.values() if each.parked or each.not_before > now}


class MemoryFeed:
    """The `Feed` over a MemoryStore; timers fall due by `clock`, leases and tries by `wall`."""

    def __init__(
        self,
        store: MemoryStore,
        clock: Callable[[], int] | None = None,
        delays: Sequence[float] = DELAYS,
        fence: Lease | None = None,
        wall: Callable[[], int] = system_clock,
    ) -> None:
        self._store = store
        self._wall = wall
        self._clock = clock or store.clock
        self._delays = delays
        self._fence = fence
        self._readers: dict[str, Reader] = {}
        self._leases: dict[str, Lease] = {}
        self._sealed = 0

    def under(self, lease: Lease) -> "MemoryFeed":
        """The same feed, but `done` and `failed` raise Problem 409 once the lease has a new holder."""
        feed = MemoryFeed(self._store, self._clock, self._delays, lease, self._wall)
        feed._readers, feed._leases = self._readers, self._leases
        return feed

    async def notices(self, reader: str, limit: int, topics: Sequence[str] | None = None) -> Sequence[Notice]:
        state = self._readers.get(reader) or Reader()
        held = state.held(self._wall())
        found = [
            replace(each, attempts=state.owed[each.position].attempts if each.position in state.owed else 0)
            for each in self._store.state.outbox
            if each.subject not in held and (each.position > state.position or each.position in state.owed)
            if topics is None or each.topic in topics
        ]
        return found[:limit]

    async def done(self, reader: str, notices: Sequence[Notice], topics: Sequence[str] | None = None) -> None:
        self._keep_fence()
        if not notices:
            return
        state = self._readers.setdefault(reader, Reader())
        given = {each.position for each in notices}
        for position in given:
            state.owed.pop(position, None)
        for each in self._store.state.outbox:
            passed = state.position < each.position < max(given) and each.position not in given
            if passed and (topics is None or each.topic in topics):
                state.owed.setdefault(each.position, Owed(each))
        state.position = max(state.position, *given)

    async def skip(self, reader: str, topics: Sequence[str]) -> None:
        self._keep_fence()
        state = self._readers.setdefault(reader, Reader())
        ahead = [each for each in self._store.state.outbox if each.position > state.position]
        if ahead and not any(each.topic in topics for each in ahead):
            state.position = ahead[-1].position

    async def failed(self, reader: str, notice: Notice, error: str) -> bool:
        self._keep_fence()
        state = self._readers.setdefault(reader, Reader())
        owed = state.owed.setdefault(notice.position, Owed(notice))
        owed.parked = owed.attempts >= len(self._delays)
        wait = 0 if owed.parked else self._delays[owed.attempts]
        owed.not_before = self._wall() + int(wait * 1_000_000)
        owed.attempts, owed.error = owed.attempts + 1, error
        return owed.parked

    async def parked(self, reader: str, limit: int = 100) -> Sequence[tuple[Notice, str]]:
        owed = (self._readers.get(reader) or Reader()).owed
        found = [each for _, each in sorted(owed.items()) if each.parked]
        return [(replace(each.notice, attempts=each.attempts), each.error) for each in found][:limit]

    async def release(self, reader: str, subject: str) -> None:
        for each in (self._readers.get(reader) or Reader()).owed.values():
            if each.notice.subject == subject and each.parked:
                each.parked, each.attempts, each.not_before = False, 0, 0

    async def position(self) -> Position:
        return Position(self._store.state.transaction + 1, 0)

    async def after(self, position: Position, limit: int) -> Sequence[Notice]:
        return [each for each in self._store.state.outbox if each.position > position][:limit]

    async def listen(self) -> AsyncIterator[Position]:
        """What there is now; then at each commit."""
        async for _ in self._store.commits():
            yield await self.position()

    async def due(self, limit: int) -> Sequence[Timer]:
        async with self._store.transaction() as records:
            state, now = records.state, self._clock()
            waiting = sorted(state.timers.values(), key=lambda each: (each.due, each.key))
            taken = [each for each in waiting if each.due <= now][:limit]
            for each in taken:
                del state.timers[each.key]
                type, _, id = each.reference.partition("/")
                state.outbox.append(
                    Notice(state.position(), each.topic, type, id, each.sequence, each.reference, each.key)
                )
            return taken

    async def lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        now = self._wall()
        old = self._leases.get(name)
        until = now + int(seconds * 1_000_000)
        if old is None or old.until <= now:
            self._leases[name] = Lease(name, holder, old.token + 1 if old else 1, until)
        elif old.holder == holder:
            self._leases[name] = replace(old, until=until)
        else:
            return None
        return self._leases[name]

    async def seal(self) -> int:
        """Nobody can reach behind this store, so there is nothing to chain; only the count is kept."""
        new = len(self._store.audited) - self._sealed
        self._sealed += new
        return new

    async def head(self) -> str:
        return ""

    async def prune(self, keep_seconds: float) -> int:
        """Everything is kept: a process that forgets all at its end need not forget before."""
        return 0

    async def forget(self, reader: str) -> None:
        self._readers.pop(reader, None)

    def _keep_fence(self) -> None:
        fence = self._fence
        if fence is None:
            return
        current = self._leases.get(fence.name)
        if current is None or current.token != fence.token or current.until <= self._wall():
            raise Problem.conflict(f"The lease '{fence.name}' is no longer held by {fence.holder}.")

"""The ports that boot fills: the store, its feed and timers, the lake and the lines to the outside."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from commonweal.access.agent import Agent
from commonweal.access.reach import EVERYTHING, Reach
from commonweal.fhir.search.index import Indexed
from commonweal.fhir.search.query import Query
from commonweal.platform.balance import Movement
from commonweal.platform.topic import Notice, Position

Json = dict[str, Any]
Method = Literal["create", "update", "delete", "found"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a resource as the record keeps it; `body` is the JSON text, returned raw.

    `updated` is microseconds since the epoch, UTC, by the store's clock, and agrees with
    `meta.lastUpdated` in the body. A deleted version has an empty body. `method` tells how this version came
    to be; "found" in the answer to a write means that nothing was written and this is what is there.
    `patient` is the keyed hash of the patient it is about, as the audit names people.
    """

    type: str
    id: str
    version: int
    updated: int
    body: bytes
    deleted: bool = False
    method: Method = "update"
    patient: int | None = None

    @property
    def reference(self) -> str:
        """ "Type/id"."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `resource` is checked JSON; the store itself sets meta.versionId and meta.lastUpdated.

    method "create": the id must be free (Problem 409 else); "update": creates or makes the next version;
    "delete": a version without a body (nothing happens to what is already deleted).
    `if_match`: the version that must be current (Problem 412 else).
    `skip_same`: an update whose content equals the current version makes no new one (bulk load).
    `topics`: topics told beside the plain one.
    """

    method: Method
    type: str
    id: str
    resource: Json = field(default_factory=dict)
    indexed: Indexed | None = None
    if_match: int | None = None
    skip_same: bool = False
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audited:
    """One audit row: who did what to whose data and why; keys and queries, never content.

    `interaction` is "read", "search", "create", "transaction" …; `entities` are "Type/id" touched by it,
    `patients` the keyed hashes of the patients concerned (`Stored.patient`; a write adds its own);
    `people` ("Patient/x") are further ones, whose hashes the store adds to `patients`.
    `work` is the id of the work (X-Request-Id). As whom the agent acted: `role` (several joined by a space),
    `organization` ("Organization/x"), `client` (the app between), `session` (its sign-in), `address` (where from).
    """

    work: str
    agent: str
    purpose: str
    interaction: str
    type: str = ""
    query: str = ""
    entities: tuple[str, ...] = ()
    patients: tuple[int, ...] = ()
    because: str = ""
    outcome: int = 200
    role: str = ""
    organization: str = ""
    client: str = ""
    session: str = ""
    address: str = ""
    people: tuple[str, ...] = ()

    @classmethod
    def by(
        cls, agent: Agent, work: str, interaction: str, type: str = "", query: str = "", **more: Any
    ) -> "Audited":
        """The row of what an agent does now."""
        return cls(
            work,
            agent.id,
            agent.purpose,
            interaction,
            type,
            query,
            role=" ".join(sorted(agent.roles)),
            organization=agent.organization or "",
            client=agent.client,
            session=agent.session,
            address=agent.address,
            **more,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: matches in order, what was included, how to go on, how many there are if asked.

    `incomplete`: the parameters of the search ("Patient.nickname") by which the store cannot find everything yet.
    """

    matches: Sequence[Stored]
    included: Sequence[Stored] = ()
    next: str | None = None
    total: int | None = None
    incomplete: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which history is asked: one resource, one type (id None) or everything (type None); newest first.

    `since` and `until` are microseconds; `until` bounds an `_at`; `patient` limits to one compartment.
    """

    type: str | None = None
    id: str | None = None
    since: int | None = None
    until: int | None = None
    count: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline as a row: told once, after `due` (microseconds, by the clock of `work.now`), as a topic."""

    key: str
    due: int
    topic: str
    reference: str
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one process to do one thing for a while; `token` grows with every new holder (fencing)."""

    name: str
    holder: str
    token: int
    until: int


class Records(Protocol):
    """What can be asked of the record and written to it. Every call takes the reach it is allowed."""

    async def now(self) -> int:
        """Microseconds since the epoch by the store's clock (in a transaction: the time it began)."""

    async def get(self, references: Sequence[tuple[str, str]], reach: Reach) -> Sequence[Stored | None]:
        """The current version of each (type, id), None where there is none or it is out of reach."""

    async def version(self, type: str, id: str, version: int, reach: Reach) -> Stored | None:
        """One version of one resource."""

    async def search(self, query: Query, reach: Reach) -> Page:
        """One page; stable under concurrent writes by its cursor. Problem 400 for a cursor that is none."""

    async def search_all(self, queries: Sequence[Query], reach: Reach) -> Sequence[Page]:
        """Each of several searches over one type, expected to match few, asked together: the first of its matches
        in order of key, as many as its `count`, without includes, total or next page."""

    async def count(self, query: Query, reach: Reach) -> int:
        """Exactly how many resources match."""

    async def history(self, scope: Scope, reach: Reach) -> Page:
        """Versions, newest first, deletions included."""

    async def write(
        self, changes: Sequence[Change], audited: Audited, reach: Reach = EVERYTHING
    ) -> Sequence[Stored]:
        """All changes or none, set-based: versions, index, notices and the audit row in one transaction.

        Returned in the order given. Two changes of one resource in one call are refused (Problem 400).
        By a reach, as things were before: what is out of it cannot be changed or deleted, as if it were not there
        (Problem 404), nor what is not there be made by an update; what would be about somebody out of it, or make
        them one with another person, is refused (Problem 403) in words that do not depend on who is there.
        """

    async def move(self, movements: Sequence[Movement]) -> None:
        """All movements or none, in key order, idempotent by key. Problem 409 when one would overdraw."""

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        """What each account holds; an account never moved holds 0."""

    async def schedule(self, timers: Sequence[Timer], cancel: Sequence[str] = ()) -> None:
        """Set timers (a key set again is replaced) and cancel others by key."""


class Transaction(Records, Protocol):
    """Records read and written together: one snapshot of time, committed when the block is left cleanly."""

    async def lock(self, keys: Sequence[str]) -> None:
        """Hold these (sorted) until the end: "Patient/x" before facts about x are read for a rule."""


class Store(Records, Protocol):
    """The record; each call of its own is one transaction."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Several calls as one; the caller may be asked to run the block again after a serialisation failure."""

    async def audit(self, row: Audited) -> None:
        """Returns once the row is durable; rows of concurrent callers share one commit."""

    def scan(
        self, query: Query, reach: Reach, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[Stored]:
        """Every match, streamed in bounded memory, in order of key (bulk export); deleted ones left out."""


class Feed(Protocol):
    """After commit: notices in order, timers that fall due, leases, and the sealing of the audit."""

    async def notices(self, reader: str, limit: int, topics: Sequence[str] | None = None) -> Sequence[Notice]:
        """The next notices of these topics (None: all) for this reader below every open transaction,
        subjects on hold left out."""

    async def done(self, reader: str, notices: Sequence[Notice], topics: Sequence[str] | None = None) -> None:
        """These were handled; the reader goes on behind them."""

    async def skip(self, reader: str, topics: Sequence[str]) -> None:
        """Go past everything that is none of these topics, where nothing of them lies ahead."""

    async def failed(self, reader: str, notice: Notice, error: str) -> bool:
        """Handling failed; after the allowed tries it is parked with its subject (True), else tried again."""

    async def position(self) -> Position:
        """The newest position that is safe to remember."""

    async def after(self, position: Position, limit: int) -> Sequence[Notice]:
        """Notices behind a position, for live updates and catch-up."""

    async def due(self, limit: int) -> Sequence[Timer]:
        """Timers past due, taken so that each is told once; they become notices in the same transaction."""

    async def lease(self, name: str, holder: str, seconds: int) -> Lease | None:
        """Take or prolong a lease; None while another holds it."""

    async def seal(self) -> int:
        """Chain committed audit rows by hash; how many were sealed."""

    async def head(self) -> str:
        """The newest hash of the chain, to be kept outside."""

    async def prune(self, keep_seconds: float) -> int:
        """Forget notices older than this that every reader has handled; how many there were."""


class Lake(Protocol):
    """Analytics over the record; filled in when the lake is built."""

    async def view(self, name: str, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        """Rows of a named view."""


class Line(Protocol):
    """One way to the outside world: fulfils a request resource and writes back."""

    async def fulfil(self, request: Json) -> Json:
        """The resource that tells how it went."""

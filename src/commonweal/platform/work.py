"""Work: one unit of work — who asks, for what purpose, the clock — and the only way in to the record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from commonweal.access.agent import Agent
from commonweal.access.decision import Decision
from commonweal.fhir.outcome import Issue
from commonweal.fhir.search.query import Query
from commonweal.platform.balance import Movement
from commonweal.platform.journal import Asked, Entry
from commonweal.platform.signal import Signal

if TYPE_CHECKING:
    from commonweal.platform.ports import Page, Scope, Stored

Json = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Draft:
    """One write as it is asked for; `resource` is checked JSON, JSON text, or a typed struct (None: delete).

    method "create": the id is `id`, which must be free, or a new one; the resource's own is ignored.
    "update": becomes the next version, or the first. `if_match`: the version that must be current.
    """

    resource: Any = None
    method: Literal["create", "update", "delete"] = "update"
    type: str = ""
    id: str | None = None
    if_match: int | None = None


class Work(Protocol):
    """What services, api and web are handed. Each call is permitted and audited; there is no second way in.

    Every method raises `commonweal.fhir.outcome.Problem`: 403 with reasons, 404, 409, 412, 422 …
    """

    id: str
    agent: Agent

    def now(self) -> datetime:
        """The only clock."""

    def may(self, permission: str) -> Decision:
        """Has the agent this permission ("registry.read")? For greying a button with its reasons."""

    async def require(self, permission: str) -> None:
        """Problem 403 without this permission; the refusal is audited."""

    def parameter(self, name: str, on: datetime, where: str | None = None) -> Any:
        """A dated number or text of the services' parameters.yaml, by the edition in force on a day."""

    async def read(self, type: str, id: str, version: int | None = None) -> "Stored":
        """One resource; Problem 404 when there is none in reach, 410 when it is deleted."""

    async def read_all(self, references: Sequence[tuple[str, str]]) -> Sequence["Stored | None"]:
        """The current version of each (type, id); None where there is none in reach or it is deleted."""

    async def definition(self, type: str, canonical: str) -> Json | None:
        """A definition by its canonical address: shipped by a service, R4's own, or a record (of several with
        one address an active one, the latest); also by "Type/id". None when nobody here knows it."""

    async def search(self, query: Query | str, *, hold: bool = False) -> "Page":
        """One page; a string is "Type?name=value&…". `hold`: nobody else may act on the same condition
        until this work ends, so that what was found, or not found, stays so (conditional writes)."""

    async def search_all(self, queries: Sequence[Query | str], *, hold: bool = False) -> Sequence["Page"]:
        """The first matches of each of many searches, in order of key and no more than its `_count`, found
        together; without includes, total or next page. `hold` as for one; all are held before any is asked."""

    async def count(self, query: Query | str) -> int:
        """How many match, exactly."""

    async def history(self, scope: "Scope") -> "Page":
        """Versions, newest first."""

    async def save(
        self, resource: Any, *, because: str = "", id: str | None = None, if_match: int | None = None
    ) -> "Stored":
        """Write one resource (struct, JSON or its text) through the gates. With an id, by argument or its
        own, it becomes the next version, or the first; without, it is created under a new id."""

    async def save_all(
        self,
        drafts: Sequence[Draft],
        *,
        because: str = "",
        skip_same: bool = False,
        imported: bool = False,
    ) -> Sequence["Stored"]:
        """Many writes of any method, all or none, through the same gates, set-wise; answers in order.

        `skip_same`: content equal to the current version makes no new one. `imported`: history brought in
        with its source; no move or admission rule judges it (needs the permission `record.import`).
        Where one of several is at fault, `Problem.index` says which.
        """

    async def delete(self, type: str, id: str, *, because: str = "", if_match: int | None = None) -> "Stored":
        """End a resource; its versions stay in history. Deleting what is deleted changes nothing."""

    async def judge(self, draft: Draft) -> Sequence[Issue]:
        """What the gates say of a write that is not made; empty when it would be admitted."""

    async def operation(self, name: str, parameters: Json) -> Json:
        """Run a named operation inside this work: same transaction, same agent, its own permission check."""

    async def journal(self, asked: Asked) -> Sequence[Entry]:
        """Who saw or changed what, newest first: for those with the permission `audit.read`; a resident asks about
        themself or whom they speak for, and is told what is theirs to know. The asking is audited as well."""

    async def reserve(self, movements: Sequence[Movement]) -> None:
        """Move balances in this work's transaction; Problem 409 when one cannot be met."""

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        """What each account holds."""

    async def signal(self, signal: Signal) -> None:
        """Tell those who listen now; nothing is kept."""

    async def compute(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a heavy pure function in the process pool, off the event loop."""


class Facts(Work, Protocol):
    """The platform itself asking, inside a work, what a rule must know: it sees all there is, whoever writes.

    `read_all` finds what is being written together as well; a rule's reasons tell nothing else of what is found.
    """

    @property
    def together(self) -> Sequence[Json]:
        """All that is written with the resource, itself included; each with its id."""

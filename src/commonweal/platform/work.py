"""Work: one unit of work — who asks, for what purpose, the clock — and the only way in to the record."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from commonweal.access.agent import Agent
from commonweal.access.decision import Decision
from commonweal.fhir.search.query import Query
from commonweal.platform.balance import Movement
from commonweal.platform.signal import Signal

if TYPE_CHECKING:
    from commonweal.platform.ports import Page, Scope, Stored

Json = dict[str, Any]
Result = TypeVar("Result")


class Work(Protocol):
    """What services, api and web are handed. Each call is permitted and audited; there is no second way in.

    Every method raises `commonweal.fhir.outcome.Problem`: 403 with reasons, 404, 409, 412, 422 …
    """

    id: str
    agent: Agent

    async def now(self) -> datetime:
        """The only clock."""

    def may(self, permission: str) -> Decision:
        """Has the agent this permission ("registry.read")? For greying a button with its reasons."""

    def parameter(self, name: str, on: datetime, where: str | None = None) -> Any:
        """A dated number or text of the services' parameters.yaml, by the edition in force on a day."""

    async def read(self, type: str, id: str, version: int | None = None) -> "Stored":
        """One resource; Problem 404 when there is none in reach, 410 when it is deleted."""

    async def search(self, query: Query | str) -> "Page":
        """One page; a string is "Type?name=value&…"."""

    async def count(self, query: Query | str) -> int:
        """How many match, exactly."""

    async def history(self, scope: "Scope") -> "Page":
        """Versions, newest first."""

    async def save(
        self,
        resource: Json | bytes | Any,
        *,
        because: str = "",
        id: str | None = None,
        if_match: int | None = None,
    ) -> "Stored":
        """Write one resource through the gates. Without an id it is created with a new one; with an id
        (argument, or the resource's own) it becomes the next version, or the first."""

    async def save_all(
        self, resources: Sequence[Json | bytes | Any], *, because: str = "", skip_same: bool = False
    ) -> Sequence["Stored"]:
        """Many at once, all or none, through the same gates, set-wise."""

    async def delete(self, type: str, id: str, *, because: str = "", if_match: int | None = None) -> "Stored":
        """End a resource; its versions stay in history. Deleting what is deleted changes nothing."""

    async def operation(self, name: str, parameters: Json) -> Json:
        """Run a named operation inside this work: same transaction, same agent, its own permission check."""

    async def reserve(self, movements: Sequence[Movement]) -> None:
        """Move balances in this work's transaction; Problem 409 when one cannot be met."""

    async def balances(self, accounts: Sequence[str]) -> Mapping[str, int]:
        """What each account holds."""

    async def signal(self, signal: Signal) -> None:
        """Tell those who listen now; nothing is kept."""

    async def compute(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a heavy pure function in the process pool, off the event loop."""

"""A service: one folder that adds a capability to the platform, introduced by one manifest."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from commonweal.access.decision import Decision
from commonweal.access.permission import Permission
from commonweal.platform.topic import Notice
from commonweal.platform.work import Facts, Work
from commonweal.platform.workflow import Workflow

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """Resource type + profile that exactly one service creates and moves.

    A resource is of this kind when `meta.profile` names `profile`, else when `matches` (FHIRPath, true or
    false on the resource) says so; `matches=None` takes every resource of the type that names no profile.
    """

    type: str
    name: str = ""
    profile: str | None = None
    matches: str | None = None

    @property
    def label(self) -> str:
        """How the kind is spoken of: "Patient" or "Task: match-review"."""
        return f"{self.type}: {self.name}" if self.name else self.type


Given = Callable[[Facts, Json], Awaitable[Any]]
Rule = Callable[[Json, Any], Decision]


@dataclass(frozen=True, slots=True)
class Admit:
    """Gate 4: a resource of this kind is written only when `rule(resource, facts)` says yes.

    `given` fetches the facts inside the transaction, after the patient's lock is taken. The resource has the
    id it will have.
    """

    kind: Kind
    rule: Rule
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A named FHIR operation ("Patient/$merge"): runs inside a work, in its transaction, by its permission.

    `definition`: the canonical of its OperationDefinition, where no service ships one. `beyond`: it sees beyond the
    reach of whoever calls it, and its author answers for what it tells them.
    """

    name: str
    permission: str
    run: Callable[[Work, Json], Awaitable[Json]]
    sentence: str
    affects_state: bool = True
    definition: str = ""
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One screen for people: path, the permission it needs, its place in the menu (None: not in it)."""

    path: str
    permission: str
    run: Callable[..., Awaitable[Any]]
    title: str
    menu: str | None = None
    methods: tuple[str, ...] = ("GET",)


@dataclass(frozen=True, slots=True)
class On:
    """Run the handler for every notice of the topic, at least once, in order per subject."""

    topic: str
    run: Callable[[Work, Notice], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Every:
    """Run the handler at this interval in seconds, by one process at a time."""

    seconds: int
    run: Callable[[Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A pure judgement that `commonweal ask NAME` runs on JSON lines; help states its input and output."""

    name: str
    run: Callable[[Json], Json]
    help: str


@dataclass(frozen=True, slots=True)
class Service:
    """All that a service adds, as data; its folder's `definitions/` is read beside it."""

    name: str
    title: str
    owns: Sequence[Kind] = ()
    admits: Sequence[Admit] = ()
    permissions: Sequence[Permission] = ()
    workflows: Sequence[Workflow] = ()
    operations: Sequence[Operation] = ()
    pages: Sequence[Page] = ()
    reacts: Sequence[On | Every] = ()
    asks: Sequence[str] = ()
    judgements: Sequence[Judgement] = ()
    menu_order: int = field(default=100)

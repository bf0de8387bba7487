"""A workflow: tables of moves and of deadlines for one kind; whatever is not in the table may not happen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.access.decision import YES, Decision

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Move:
    """A change of state: from (None: it is created there) to another, by a permission, when a rule says so."""

    source: str | None
    target: str
    by: str
    when: Callable[[Json], Decision] | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What must happen by when, and what is done when it does not.

    The timer starts when `state` is entered and stops when it is left. `limit` names a parameter (seconds);
    `clock` is "wall" or "business"; `breach` is the topic told when it fires; `warn` the share of the limit
    at which `warning` is told first.
    """

    state: str
    limit: str
    breach: str
    clock: str = "wall"
    warning: str | None = None
    warn: float = 0.75


@dataclass(frozen=True, slots=True)
class Workflow:
    """The moves of one kind; `state` is the FHIRPath of its state in the resource."""

    kind: str
    state: str
    moves: Sequence[Move]
    deadlines: Sequence[Deadline] = ()

    @property
    def states(self) -> tuple[str, ...]:
        """Every state the table names, in the order of first mention."""
        named = [s for move in self.moves for s in (move.source, move.target) if s is not None]
        return tuple(dict.fromkeys(named))

    def find(self, source: str | None, target: str) -> Move | None:
        """The move from one state to another, if there is one."""
        return next((m for m in self.moves if (m.source, m.target) == (source, target)), None)

    def may(
        self, source: str | None, target: str, resource: Json, holds: Callable[[str], Decision]
    ) -> Decision:
        """May the state go from `source` to `target`? `holds` says whether the agent has a permission."""
        if source == target:
            return YES
        move = self.find(source, target)
        if move is None:
            return Decision((f"{self.kind} may not go from {source or 'nothing'} to {target}",))
        permitted = holds(move.by)
        return permitted & (move.when(resource) if move.when else YES)

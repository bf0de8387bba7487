"""A table as one place of a search sees it: its name in the statement and what is known about its type."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from commonweal.store.facts import TypeFacts
from commonweal.store.reads.binding import Binding
from commonweal.store.writes.rows import ELSEWHERE


@dataclass(frozen=True, slots=True)
class Alias:
    """`anchored`: some other condition leaves few rows, so that the rest is checked row by row; written in a
    way no index answers, it costs the planner nothing and keeps the plan the same for all values."""

    name: str
    facts: TypeFacts
    bind: Binding
    anchored: bool = False

    @property
    def type(self) -> str:
        return self.facts.type

    def column(self, name: str) -> str:
        return f"{self.name}.{name}"

    def any_of(self, hashes: Iterable[int]) -> str:
        """The row has one of these hashes."""
        return self.meets(self.bind(sorted(set(hashes)), "int8[]"))

    def all_of(self, hashes: Iterable[int]) -> str:
        """The row has all of these hashes."""
        array = self.bind(sorted(set(hashes)), "int8[]")
        return f"arraycontains({self.name}.tok, {array})" if self.anchored else f"{self.name}.tok @> {array}"

    def meets(self, array: str) -> str:
        """The row has a hash of this array."""
        return f"arrayoverlap({self.name}.tok, {array})" if self.anchored else f"{self.name}.tok && {array}"

    def about(self, patients: Collection[int]) -> str:
        """The row's patient, told by the parameters of its column, is one of these."""
        return f"({self.is_about(patients)} and {self.is_told})"

    def is_about(self, patients: Collection[int]) -> str:
        """The row is about one of these, in whichever way it is told."""
        if len(patients) == 1:
            return f"{self.name}.patient = {self.bind(next(iter(patients)), 'int8')}"
        return f"{self.name}.patient = any({self.bind(sorted(patients), 'int8[]')})"

    @property
    def is_told(self) -> str:
        """The column holds what the type's own patient parameters say, not what another reference does."""
        return f"{self.name}.present & {ELSEWHERE} < 1"

"""What is known about a patient when a row about them is judged."""

from dataclasses import dataclass
from typing import Generic

from commonweal.access.consent import Name, Rule


@dataclass(frozen=True, slots=True)
class Facts(Generic[Name]):
    """Ties in force, as (kind, party), and rules in force; names as text, or hashed in the store."""

    ties: frozenset[tuple[str, Name]] = frozenset()
    rules: tuple[Rule[Name], ...] = ()

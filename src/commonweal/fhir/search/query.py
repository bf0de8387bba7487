"""Reading a search from its parameters and writing it back: https://hl7.org/fhir/R4/search.html."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Include, Listed, Query, Sort
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.values import Value

__all__ = [
    "Chain",
    "Clause",
    "Criterion",
    "Expand",
    "Has",
    "Include",
    "Listed",
    "Query",
    "Sort",
    "Value",
    "parse",
    "to_pairs",
]

Pair = tuple[str, str]
Expand = Callable[[str, str], Iterable[tuple[str, str]]]
"""expand(modifier, value) -> (system, code) pairs: "in" a value set; "below", "above" a "system|code"."""


def parse(
    resource_type: str | None,
    pairs: Sequence[Pair],
    registry: Registry,
    *,
    lenient: bool = True,
    compartment: tuple[str, str] | None = None,
    expand: Expand | None = None,
) -> Query:
    """The search that decoded (key, value) pairs ask for; Problem 400 where they cannot be understood.

    lenient (Prefer: handling): unknown parameters are put into `ignored`; strict: they are an error.
    An unknown modifier or a bad value is always an error. Without `expand`, value set modifiers are refused.
    """
    raise NotImplementedError


def to_pairs(query: Query) -> list[Pair]:
    """The parameters that were applied, in canonical form (the self link). parse(to_pairs(q)) == q."""
    raise NotImplementedError

"""Codes for :in, :not-in, :below and :above of tokens: https://hl7.org/fhir/R4/search.html#token."""

from __future__ import annotations

from collections.abc import Iterable

from commonweal.fhir import terminology
from commonweal.fhir.canonical import Lookup
from commonweal.fhir.search.reading import Expand

TREES = {"below": terminology.below, "above": terminology.above}


def expander(lookup: Lookup) -> Expand:
    """What `parse` needs to understand these modifiers."""

    def expand(modifier: str, about: str, code: str) -> Iterable[tuple[str, str]]:
        if modifier in TREES:
            return [(about, each) for each in TREES[modifier](about, code, lookup)]
        value_set = lookup("ValueSet", about)
        if value_set is None:
            raise ValueError(f"there is no value set {about} here")
        return terminology.expand(value_set, lookup)

    return expand

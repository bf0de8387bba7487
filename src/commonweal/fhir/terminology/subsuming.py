"""Whether one code is a kind of another: https://hl7.org/fhir/R4/codesystem-operation-subsumes.html."""

from __future__ import annotations

from commonweal.fhir.canonical import Lookup
from commonweal.fhir.terminology.codes import Codes, codes


def known(system: str, lookup: Lookup) -> Codes:
    """The concepts of a system. ValueError when it is not here."""
    found = lookup("CodeSystem", system)
    concepts = codes(found) if found is not None else None
    if concepts is None:
        raise ValueError(f"the code system {system} is not here")
    return concepts


def below(system: str, code: str, lookup: Lookup) -> list[str]:
    """The code and all that are a kind of it. ValueError when the system or the code is not known."""
    return [*_checked(known(system, lookup), code).below(code)]


def above(system: str, code: str, lookup: Lookup) -> list[str]:
    """The code and all that it is a kind of."""
    return [*_checked(known(system, lookup), code).above(code)]


def relation(concepts: Codes, first: str, second: str) -> str:
    """equivalent, subsumes, subsumed-by or not-subsumed: what the first code is to the second."""
    _checked(_checked(concepts, first), second)
    if first == second:
        return "equivalent"
    if second in concepts.below(first):
        return "subsumes"
    return "subsumed-by" if first in concepts.below(second) else "not-subsumed"


def _checked(concepts: Codes, code: str) -> Codes:
    if code not in concepts.concepts:
        raise ValueError(f"{code!r:.80} is no code of {concepts.url}")
    return concepts

"""Answering what needs definitions: they are read through the work, one after the other, as they turn out to be needed.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from commonweal.fhir.canonical import Known, Lookup, Read, Unread
from commonweal.fhir.outcome import Problem
from commonweal.fhir.profiles import Trees, needed
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import Query, parse
from commonweal.fhir.search.terms import expander
from commonweal.platform.work import Work

Answer = TypeVar("Answer")
MOST = 200
"""Definitions that one question may take."""


async def answered(work: Work, question: Callable[[Lookup], Answer]) -> Answer:
    """The answer of a pure function of definitions; Problem too-costly when it takes too many of them."""
    read = Read()
    for _ in range(MOST):
        try:
            return question(read)
        except Unread as missing:
            read.put(missing, await work.definition(missing.type, missing.canonical))
    raise Problem.too_costly(f"it takes more than {MOST} definitions")


async def gathered(work: Work, profiles: Sequence[str]) -> Known:
    """All definitions that judging by these profiles takes."""
    read, trees, number = Read(), Trees(), 0
    while missing := needed(profiles, read, trees):
        number += len(missing)
        if number > MOST:
            raise Problem.too_costly(f"it takes more than {MOST} definitions")
        for each in missing:
            read.put(each, await work.definition(each.type, each.canonical))
    return read.closed()


async def understood(
    work: Work, registry: Registry, type: str | None, pairs: Sequence[tuple[str, str]], *, lenient: bool
) -> Query:
    """`parse` for searches that may ask for the codes of a value set."""

    def question(lookup: Lookup) -> Query:
        return parse(type, pairs, registry, lenient=lenient, expand=expander(lookup))

    return await answered(work, question)


def as_value(text: str) -> str:
    """As it stands for itself in a search."""
    return quote("".join(f"\\{each}" if each in "\\,|$" else each for each in text))

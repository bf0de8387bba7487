"""Answering what needs definitions: they are read through the work, one after the other, as they turn out to be needed.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from commonweal.fhir import codec
from commonweal.fhir.canonical import Known, Lookup, Read, Unread, split
from commonweal.fhir.outcome import Problem
from commonweal.fhir.profiles import Trees, needed
from commonweal.fhir.reference import parse as located
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import Query, parse
from commonweal.fhir.search.terms import expander
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.work import Work

Json = dict[str, Any]
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


async def definition(work: Work, catalogue: Catalogue, type: str, canonical: str) -> Json | None:
    """See `Work.definition`."""
    there = located(canonical, catalogue.registry.bases)
    if there.kind == "local":
        if there.type != type or there.id is None:
            return None
        stored = (await work.read_all([(type, there.id)]))[0]
        return codec.parse(stored.body) if stored is not None else catalogue.shipped(type, there.id)
    found = catalogue.definition(type, canonical)
    if found is not None:
        return found
    url, version = split(canonical)
    exact = f"&version={_as_value(version)}" if version else ""
    page = await work.search(f"{type}?url={_as_value(url)}{exact}&_sort=-_lastUpdated&_count=20")
    known = [codec.parse(stored.body) for stored in page.matches]
    return next((each for each in known if each.get("status") == "active"), known[0] if known else None)


def _as_value(text: str) -> str:
    """As it stands for itself in a search."""
    return quote("".join(f"\\{each}" if each in "\\,|$" else each for each in text))

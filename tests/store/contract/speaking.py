"""How the tests of the contract speak to a store: resources in, ids out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from commonweal.access.reach import EVERYTHING, Reach
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import Query, parse
from commonweal.fhir.search.terms import expander
from commonweal.platform.ports import Audited, Change, Stored
from tests.store.contract.codings import known

Json = dict[str, Any]


@lru_cache(maxsize=1)
def registry() -> Registry:
    return Registry()


class Record:
    """A store, and a beginning for all ids of one test, so that nothing of another test is met."""

    def __init__(self, store: Any, fresh: str) -> None:
        self.store = store
        self.fresh = fresh

    async def write(self, *changes: Change, work: str = "w") -> Sequence[Stored]:
        return await self.store.write(changes, audited(work))

    async def save(self, *resources: Json, **options: Any) -> Sequence[Stored]:
        """Create or update resources as they are."""
        return await self.write(*(change(resource, **options) for resource in resources))

    async def ids(self, text: str, reach: Reach = EVERYTHING) -> list[str]:
        """The ids that a search finds, over all its pages, in its order."""
        return [stored.id for stored in await self.found(text, reach)]

    async def found(self, text: str, reach: Reach = EVERYTHING) -> list[Stored]:
        matches: list[Stored] = []
        query = asked(text)
        while True:
            page = await self.store.search(query, reach)
            matches += page.matches
            if page.next is None:
                return matches
            query = asked(text, cursor=page.next)


def audited(work: str = "w", **words: Any) -> Audited:
    return Audited(work, "Practitioner/p", "TREAT", words.pop("interaction", "transaction"), **words)


def change(resource: Json, method: Any = "update", **options: Any) -> Change:
    indexed = extract(resource, registry())
    return Change(method, resource["resourceType"], resource["id"], resource, indexed, **options)


def deletion(type: str, id: str, **options: Any) -> Change:
    return Change("delete", type, id, **options)


def asked(text: str, cursor: str | None = None) -> Query:
    """A search as it would stand in an address: "Patient?name=x"."""
    type, _, rest = text.partition("?")
    query = parse(
        type or None,
        parse_qsl(rest, keep_blank_values=True),
        registry(),
        lenient=False,
        expand=expander(known),
    )
    return replace(query, cursor=cursor)


def patient(id: str, **elements: Any) -> Json:
    return {"resourceType": "Patient", "id": id, **elements}


def observation(id: str, subject: str | None = None, **elements: Any) -> Json:
    body: Json = {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}}
    if subject:
        body["subject"] = {"reference": subject}
    return body | elements


def names(stored: Iterable[Stored]) -> list[str]:
    return [each.reference for each in stored]

"""Either store, asked what it keeps of ties, rules and places: in words, as the memory store keeps them."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from commonweal.platform.ports import Change, Stored
from commonweal.store.memory import MemoryStore
from commonweal.store.postgres import PostgresStore
from commonweal.store.tokens import Tokens
from tests.store.access.knowing import Facts, below, below_of, facts, facts_of
from tests.store.conftest import KEY
from tests.store.contract.speaking import audited, change, deletion

Json = dict[str, Any]
NUMBERS = itertools.count(1)


class Keeper:
    """A store and the beginning of all ids of one test; what it keeps, told in the names of that test."""

    def __init__(self, store: MemoryStore | PostgresStore) -> None:
        self.store = store
        self.fresh = f"k{next(NUMBERS)}-"
        self._hash = Tokens(KEY)

    def ref(self, type: str, name: str) -> Json:
        return {"reference": f"{type}/{self.fresh}{name}"}

    async def save(self, *resources: Json, method: Any = "update") -> Sequence[Stored]:
        """Resources whose id is a name of this test."""
        named = [each | {"id": self.fresh + each["id"]} for each in resources]
        return await self.store.write([change(each, method) for each in named], audited())

    async def create(self, *resources: Json) -> Sequence[Stored]:
        return await self.save(*resources, method="create")

    async def delete(self, *references: str) -> None:
        await self.store.write([self.deletion(each) for each in references], audited())

    def deletion(self, reference: str) -> Change:
        type, _, name = reference.partition("/")
        return deletion(type, self.fresh + name)

    async def facts(self, patient: str = "p") -> Facts[Any]:
        reference = f"Patient/{self.fresh}{patient}"
        if isinstance(self.store, MemoryStore):
            return facts_of(self.store.state, self.store.clock()).get(reference, Facts())
        key = self._hash.self(reference)
        async with self.store.pool.acquire() as connection:
            return (await facts(connection, [key])).get(key, Facts())

    async def tied(self, *parties: str, patient: str = "p") -> set[tuple[str, str]]:
        """Of these parties ("Practitioner/d"), those tied to the patient, with the kind; nobody else may be."""
        ties = (await self.facts(patient)).ties
        known = {self.name(party): party for party in parties}
        assert {party for _, party in ties} <= known.keys()
        return {(kind, known[party]) for kind, party in ties}

    def name(self, reference: str) -> Any:
        """What the store calls it."""
        type, _, name = reference.partition("/")
        text = f"{type}/{self.fresh}{name}"
        return text if isinstance(self.store, MemoryStore) else self._hash.self(text)

    async def below(self, area: str, *others: str) -> str:
        """Which of these places, by their letters, lie within one; itself need not be there."""
        area, *names = (f"Location/{each}" for each in (area, *others))
        wanted = frozenset((self.name(area),))
        if isinstance(self.store, MemoryStore):
            found = below_of(self.store.state, wanted)
        else:
            async with self.store.pool.acquire() as connection:
                found = await below(connection, wanted)
        assert found - wanted <= {self.name(each) for each in names}
        return "".join(each[-1] for each in names if self.name(each) in found)


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=["memory", "postgres"])
def keeper(request: pytest.FixtureRequest) -> Keeper:
    return Keeper(request.getfixturevalue(f"{request.param}_store"))

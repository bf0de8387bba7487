"""A search parameter that comes, changes or goes: what was written before is found by it, and nobody is disturbed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse
from commonweal.platform.ports import Change, Lease, Page, Scope
from commonweal.store import embedded, status
from commonweal.store.beside.feed import PostgresFeed
from commonweal.store.postgres import PostgresStore
from commonweal.store.reindexing import reindexer as reindexing
from commonweal.store.reindexing.reindexer import Reindexer
from commonweal.store.verify import verify
from tests.store.conftest import KEY, NUMBERS, ask, at
from tests.store.contract.speaking import audited, change, deletion, observation, patient
from tests.store.test_again import TESTER, platform

UCUM = "http://unitsofmeasure.org"


def parameter(code: str, type: str, expression: str, base: str = "Patient") -> dict[str, Any]:
    url = f"http://example.org/SearchParameter/{code}"
    return {"url": url, "code": code, "type": type, "base": [base], "expression": expression}


NICKNAME = parameter("nickname", "string", "Patient.name.where(use = 'nickname').given")
OTHERS = [
    parameter("spoken", "token", "Patient.communication.language"),
    parameter("seen", "date", "Patient.photo.creation"),
    parameter("practice", "reference", "Patient.contact.organization"),
    parameter("home", "uri", "Patient.photo.url"),
    parameter("reading", "quantity", "Observation.referenceRange.high", "Observation"),
]
ANNE = patient(
    "anne",
    name=[{"use": "nickname", "given": ["Anni"]}, {"use": "official", "given": ["Anne"]}],
    communication=[{"language": {"coding": [{"code": "nds"}]}}],
    photo=[{"creation": "2020-05-01", "url": "http://example.org/anne.png"}],
    contact=[{"organization": {"reference": "Organization/o"}}],
)
HIGH = observation(
    "high", "Patient/anne", referenceRange=[{"high": {"value": 2, "system": UCUM, "code": "g"}}]
)


@pytest.fixture
async def own(server: Any, template: str) -> AsyncIterator[str]:
    """A database of the test's own: parameters belong to all of one."""
    name = f"reindex_{next(NUMBERS)}"
    await ask(
        server.dsn(embedded.ADMIN), f"create database {name} template {template} owner {embedded.OWNER}"
    )
    yield at(server.dsn(), name)
    await ask(server.dsn(embedded.ADMIN), f"drop database {name} with (force)")


class Opened:
    """A store opened by a version of the platform that has these parameters beside the official ones."""

    def __init__(self, store: PostgresStore, registry: Registry) -> None:
        self.store = store
        self.registry = registry
        self.feed = PostgresFeed(store.pool)
        self.holder = "one process"
        self.reindexer: Reindexer = store.reindexer(self.lease)

    async def lease(self, name: str) -> Lease | None:
        return await self.feed.lease(name, self.holder, 60)

    async def page(self, text: str) -> Page:
        type, _, rest = text.partition("?")
        return await self.store.search(parse(type, parse_qsl(rest), self.registry, lenient=False), EVERYTHING)

    async def ids(self, text: str) -> list[str]:
        return [stored.id for stored in (await self.page(text)).matches]

    async def whole(self) -> list[str]:
        """What `commonweal check` finds wrong."""
        async with self.store.pool.acquire() as connection:
            return [str(each) async for each in verify(connection, KEY, self.registry) if each.wrong]

    async def finish(self) -> None:
        while await self.reindexer.tick():
            continue


@asynccontextmanager
async def opened(dsn: str, *own: dict[str, Any]) -> AsyncIterator[Opened]:
    registry = Registry(own)
    store = await PostgresStore.open(dsn, KEY, registry, connections=4)
    try:
        yield Opened(store, registry)
    finally:
        await store.close()


FOUND = {
    "Patient?nickname=anni": ["anne"],
    "Patient?nickname=anne": [],
    "Patient?nickname:missing=false": ["anne"],
    "Patient?spoken=nds": ["anne"],
    "Patient?seen=2020": ["anne"],
    "Patient?practice=Organization/o": ["anne"],
    "Patient?home=http://example.org/anne.png": ["anne"],
    "Patient?_sort=-seen&_count=1": ["anne"],
    f"Observation?reading=2000|{UCUM}|mg": ["high"],
    "Observation?patient.nickname=anni": ["high"],
    "Patient?_has:Observation:patient:reading=gt1": ["anne"],
}


async def test_what_was_written_before_is_found_by_new_parameters_of_every_kind(own: str) -> None:
    async with opened(own) as old:
        people = [change(ANNE), change(patient("gone")), *(change(patient(f"p{n}")) for n in range(10))]
        await old.store.write([*people, change(HIGH)], audited())
        await old.store.write([deletion("Patient", "gone")], audited())
        assert await old.reindexer.waiting() == []
        before = await facts(old.store)
    async with opened(own, NICKNAME, *OTHERS) as new:
        assert [each.type for each in await new.reindexer.waiting()] == ["Observation", "Patient"]
        await new.finish()
        assert await new.reindexer.waiting() == []
        assert {text: await new.ids(text) for text in FOUND} == FOUND
        assert await facts(new.store) == before
        assert await new.whole() == []


async def facts(store: PostgresStore) -> list[Any]:
    """All that reindexing leaves as it is: versions, times, positions, bodies, notices and the audit."""
    history = await store.history(Scope("Patient"), EVERYTHING)
    text = 'select id, version, updated, xid, seq, method, body from record."Patient" order by id'
    counts = "select (select count(*) from beside.outbox), (select count(*) from beside.audit)"
    return [history, await store.pool.fetch(text), await store.pool.fetchrow(counts)]


async def test_a_changed_or_removed_parameter_finds_what_it_means_now(own: str) -> None:
    async with opened(own, NICKNAME) as first:
        await first.store.write([one(ANNE, first.registry)], audited())
        assert await first.ids("Patient?nickname=anni") == ["anne"]
    async with opened(
        own, parameter("nickname", "string", "Patient.name.where(use = 'official').given")
    ) as second:
        await second.finish()
        assert await second.ids("Patient?nickname=anni") == []
        assert await second.ids("Patient?nickname=anne") == ["anne"]
        assert await second.whole() == []
    async with opened(own) as third:
        assert len(await third.reindexer.waiting()) == 1
        await third.finish()
        assert await third.whole() == []
    async with opened(own) as fourth:
        assert await fourth.reindexer.waiting() == []


def one(resource: dict[str, Any], registry: Registry) -> Change:
    return Change("update", resource["resourceType"], resource["id"], resource, extract(resource, registry))


async def test_until_it_is_done_searches_say_so_and_nothing_depends_on_them(own: str) -> None:
    async with opened(own) as old:
        await old.store.write([change(ANNE)], audited())
    async with opened(own, NICKNAME) as new:
        for text in ("Patient?nickname=x", "Patient?_sort=nickname", "Observation?patient.nickname=x"):
            assert (await new.page(text)).incomplete == ("Patient.nickname",)
            assert (await new.page(f"{text}&_summary=count")).incomplete == ("Patient.nickname",)
        assert (await new.page("Patient?given=anni")).incomplete == ()
        told = await status.told(new.store.pool)
        assert [(each.type, each.names) for each in told.reindexing] == [("Patient", ["nickname"])]
        query = parse("Patient", [("nickname", "anni")], new.registry)
        async with platform(new.store).work(TESTER) as work:
            for ask_ in (work.search(query, hold=True), work.search_all([query], hold=True)):
                with pytest.raises(Problem) as refused:
                    await ask_
                assert refused.value.status == 503
            assert (await work.search(query)).incomplete
        await new.finish()
        new.store._engine.unfinished._looked = 0
        assert (await new.page("Patient?nickname=anni")).incomplete == ()
        assert (await status.told(new.store.pool)).reindexing == []


async def test_another_process_goes_on_where_one_stopped(own: str) -> None:
    many = 2 * reindexing.BATCH + 10
    async with opened(own) as old:
        await old.store.write([change(ANNE | {"id": f"a{n}"}) for n in range(many)], audited())
    async with opened(own, NICKNAME) as first:
        assert await first.reindexer.tick()
        (waiting,) = await first.reindexer.waiting()
        assert (waiting.seen, waiting.changed) == (reindexing.BATCH, reindexing.BATCH)
        async with opened(own, NICKNAME) as second:
            second.holder = "another process"
            assert not await second.reindexer.tick(), "the first holds the lease"
            await second.store.pool.execute("delete from beside.lease")
            assert await second.reindexer.tick()
            (waiting,) = await second.reindexer.waiting()
            assert waiting.seen == 2 * reindexing.BATCH
            await second.finish()
            found = parse("Patient", [("nickname", "anni")], second.registry)
            assert await second.store.count(found, EVERYTHING) == many


async def test_a_process_of_another_version_leaves_it_to_those_of_this_one(own: str) -> None:
    async with opened(own) as old:
        await old.store.write([change(ANNE)], audited())
        async with opened(own, NICKNAME) as new:
            assert not await old.reindexer.tick(), "it does not know the parameter"
            assert len(await new.reindexer.waiting()) == 1
            assert await new.reindexer.tick()


async def test_writes_go_on_meanwhile_and_none_is_lost(own: str) -> None:
    ids = [f"w{number:03}" for number in range(300)]
    async with opened(own) as old:
        await old.store.write([change(ANNE | {"id": id}) for id in ids], audited())
    async with opened(own, NICKNAME) as new:

        async def write(part: Sequence[str]) -> None:
            for id in part:
                named = patient(id, name=[{"use": "nickname", "given": [f"Neu{id}"]}])
                await new.store.write([one(named, new.registry)], audited())

        await asyncio.gather(new.finish(), *(write(ids[at::4]) for at in range(3)))
        assert await new.ids("Patient?nickname=neuw000") == ["w000"]
        assert len(await new.ids("Patient?nickname=anni&_count=1000")) == 75
        assert await new.whole() == []


async def test_what_was_asked_for_is_looked_at_though_nothing_changed(own: str) -> None:
    async with opened(own) as store:
        await store.store.write([change(ANNE), change(HIGH)], audited())
        await store.store.pool.execute('update record."Patient" set tok = tok[2:]')
        assert await store.whole()
        await store.reindexer.ask(["Patient"])
        assert (await store.page("Patient?given=anni")).incomplete == ()
        await store.finish()
        assert await store.whole() == []
        await store.reindexer.ask()
        assert [each.type for each in await store.reindexer.waiting()] == ["Observation", "Patient"]
        with pytest.raises(Problem):
            await store.reindexer.ask(["Nothing"])

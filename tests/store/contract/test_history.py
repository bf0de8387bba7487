"""History of one resource, of a type and of everything: newest first, page by page, deletions included."""

from dataclasses import replace

import pytest

from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Scope, Stored
from tests.store.contract.speaking import Record, deletion, observation, patient


async def all_pages(record: Record, scope: Scope, reach: Reach = EVERYTHING) -> list[Stored]:
    found: list[Stored] = []
    while True:
        page = await record.store.history(scope, reach)
        assert len(page.matches) <= scope.count
        found += page.matches
        if page.next is None:
            return found
        scope = replace(scope, cursor=page.next)


async def lived(record: Record) -> list[tuple[str, str, int]]:
    """A few lives, in the order they happened."""
    a, b = record.fresh + "a", record.fresh + "b"
    happened = []
    for changes in (
        record.save(patient(a)),
        record.save(patient(b)),
        record.save(patient(a, gender="male")),
        record.save(observation(a, f"Patient/{a}")),
        record.write(deletion("Patient", b)),
        record.save(patient(a, gender="female")),
    ):
        happened += [(each.type, each.id, each.version) for each in await changes]
    return happened


def told(record: Record, versions: list[Stored]) -> list[tuple[str, str, int]]:
    return [(v.type, v.id, v.version) for v in versions if v.id.startswith(record.fresh)]


@pytest.mark.parametrize("count", [1, 2, 50])
async def test_history_of_one_resource(record: Record, count: int) -> None:
    await lived(record)
    id = record.fresh + "a"
    versions = await all_pages(record, Scope("Patient", id, count=count))
    assert [v.version for v in versions] == [3, 2, 1]
    assert [v.method for v in versions] == ["update", "update", "create"]
    assert b"female" in versions[0].body


async def test_history_tells_of_a_deletion(record: Record) -> None:
    await lived(record)
    versions = await all_pages(record, Scope("Patient", record.fresh + "b"))
    assert [(v.version, v.deleted, v.method) for v in versions] == [(2, True, "delete"), (1, False, "create")]


async def test_history_of_what_never_was_is_empty(record: Record) -> None:
    assert await all_pages(record, Scope("Patient", record.fresh + "none")) == []


@pytest.mark.parametrize("count", [1, 3, 100])
async def test_history_of_a_type_and_of_everything(record: Record, count: int) -> None:
    start = await record.store.now()
    happened = await lived(record)
    everything = await all_pages(record, Scope(since=start, count=count))
    assert told(record, everything) == happened[::-1]
    patients = await all_pages(record, Scope("Patient", since=start, count=count))
    assert told(record, patients) == [each for each in happened[::-1] if each[0] == "Patient"]


async def test_since_is_inclusive(record: Record) -> None:
    id = record.fresh + "a"
    (_,), (second,) = await record.save(patient(id)), await record.save(patient(id, gender="male"))
    assert [v.version for v in await all_pages(record, Scope("Patient", id, since=second.updated))] == [2]
    assert await all_pages(record, Scope("Patient", id, since=second.updated + 1)) == []


async def test_writes_in_between_do_not_shift_the_pages(record: Record) -> None:
    start = await record.store.now()
    happened = await lived(record)
    first = await record.store.history(Scope(since=start, count=2), EVERYTHING)
    await record.save(patient(record.fresh + "new"))
    rest = await all_pages(record, Scope(since=start, count=2, cursor=first.next))
    assert told(record, [*first.matches, *rest]) == happened[::-1]


async def test_history_shows_what_is_in_reach(record: Record) -> None:
    start = await record.store.now()
    happened = await lived(record)
    reach = Reach((Grant(patients=frozenset({f"Patient/{record.fresh}a"})),))
    seen = told(record, await all_pages(record, Scope(since=start, count=2), reach))
    assert seen == [each for each in happened[::-1] if each[1] == record.fresh + "a"]


@pytest.mark.parametrize("cursor", ["x", "1", "....", "ééé", "A" * 5000])
async def test_a_cursor_that_is_none_is_refused(record: Record, cursor: str) -> None:
    for scope in (Scope(), Scope("Patient"), Scope("Patient", record.fresh + "a")):
        with pytest.raises(Problem) as refused:
            await record.store.history(replace(scope, cursor=cursor), EVERYTHING)
        assert refused.value.status == 400

"""Writing and reading by id: versions, conflicts, what is written together, and what is told and audited."""

import json
from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.outcome import Problem
from tests.store.contract.speaking import Record, audited, change, deletion, observation, patient


async def status_of(call: Any) -> int:
    with pytest.raises(Problem) as refused:
        await call
    return refused.value.status


async def current(record: Record, type: str, id: str) -> Any:
    return (await record.store.get([(type, id)], EVERYTHING))[0]


async def test_what_is_created_is_read_as_it_was_sent_with_its_version_and_time(record: Record) -> None:
    id = record.fresh + "a"
    sent = patient(id, birthDate="1980-02-29", name=[{"family": "Müller", "given": ["Ana", "李"]}])
    (stored,) = await record.write(change(sent, "create"))
    assert (stored.type, stored.id, stored.version, stored.deleted, stored.method) == (
        "Patient",
        id,
        1,
        False,
        "create",
    )
    found = await current(record, "Patient", id)
    assert found == stored
    body = json.loads(found.body)
    meta = body.pop("meta")
    assert body == sent
    assert meta["versionId"] == "1"
    assert meta["lastUpdated"].endswith("Z") and len(meta["lastUpdated"]) == 27


async def test_decimals_stay_exactly_as_written(record: Record) -> None:
    from commonweal.fhir import codec

    id = record.fresh + "a"
    sent = observation(id, valueQuantity={"value": codec.parse(b'{"v":1.10}')["v"], "unit": "mg"})
    await record.save(sent)
    assert b"1.10" in (await current(record, "Observation", id)).body


async def test_meta_keeps_what_the_store_does_not_set(record: Record) -> None:
    id = record.fresh + "a"
    meta = {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z", "tag": [{"system": "s", "code": "c"}]}
    await record.save(patient(id, meta=meta))
    body = json.loads((await current(record, "Patient", id)).body)
    assert body["meta"]["versionId"] == "1"
    assert body["meta"]["lastUpdated"] > "2020"
    assert body["meta"]["tag"] == meta["tag"]


async def test_what_is_not_there_is_none_in_its_place(record: Record) -> None:
    id = record.fresh + "a"
    (stored,) = await record.save(patient(id))
    asked = [("Patient", record.fresh + "none"), ("Patient", id), ("Observation", id), ("Patient", id)]
    assert await record.store.get(asked, EVERYTHING) == [None, stored, None, stored]
    assert await record.store.get([], EVERYTHING) == []


async def test_an_update_makes_the_next_version_and_keeps_the_one_before(record: Record) -> None:
    id = record.fresh + "a"
    (first,) = await record.save(patient(id, gender="male"))
    (second,) = await record.save(patient(id, gender="female"))
    assert (first.version, first.method, second.version, second.method) == (1, "create", 2, "update")
    assert second.updated >= first.updated
    assert await record.store.version("Patient", id, 1, EVERYTHING) == first
    assert await record.store.version("Patient", id, 2, EVERYTHING) == second
    assert await record.store.version("Patient", id, 3, EVERYTHING) is None
    assert await record.store.version("Patient", record.fresh + "none", 1, EVERYTHING) is None


async def test_an_id_that_is_taken_cannot_be_created_again(record: Record) -> None:
    id = record.fresh + "a"
    await record.save(patient(id))
    assert await status_of(record.write(change(patient(id), "create"))) == 409
    await record.write(deletion("Patient", id))
    assert await status_of(record.write(change(patient(id), "create"))) == 409


async def test_if_match_asks_for_the_current_version(record: Record) -> None:
    id = record.fresh + "a"
    await record.save(patient(id))
    await record.save(patient(id, gender="male"), if_match=1)
    assert await status_of(record.save(patient(id), if_match=1)) == 412
    assert await status_of(record.save(patient(record.fresh + "none"), if_match=1)) == 412
    assert await status_of(record.write(deletion("Patient", id, if_match=1))) == 412
    (gone,) = await record.write(deletion("Patient", id, if_match=2))
    assert gone.deleted
    assert await status_of(record.save(patient(id), if_match=3)) == 412, "what is deleted matches nothing"


async def test_the_same_content_again_makes_no_new_version_when_asked_so(record: Record) -> None:
    id = record.fresh + "a"
    (first,) = await record.save(patient(id, gender="male"), skip_same=True)
    (same,) = await record.save(patient(id, gender="male"), skip_same=True)
    assert (same.version, same.updated, same.body, same.method) == (1, first.updated, first.body, "found")
    (other,) = await record.save(patient(id, gender="female"), skip_same=True)
    (again,) = await record.save(patient(id, gender="female"))
    assert (other.version, again.version) == (2, 3)


async def test_a_deletion_is_a_version_without_a_body(record: Record) -> None:
    id = record.fresh + "a"
    (first,) = await record.save(patient(id))
    (gone,) = await record.write(deletion("Patient", id))
    assert (gone.version, gone.deleted, gone.body, gone.method) == (2, True, b"", "delete")
    assert await current(record, "Patient", id) == gone
    assert gone.patient == first.patient
    assert await record.ids(f"Patient?_id={id}") == []


async def test_deleting_what_is_not_there_does_nothing(record: Record) -> None:
    id = record.fresh + "a"
    (never,) = await record.write(deletion("Patient", id))
    assert (never.deleted, never.method, never.version) == (True, "found", 0)
    assert await current(record, "Patient", id) is None
    await record.save(patient(id))
    await record.write(deletion("Patient", id))
    (again,) = await record.write(deletion("Patient", id))
    assert (again.deleted, again.method, again.version) == (True, "found", 2)


async def test_what_is_deleted_can_be_brought_back(record: Record) -> None:
    id = record.fresh + "a"
    await record.save(patient(id))
    await record.write(deletion("Patient", id))
    (back,) = await record.save(patient(id, gender="male"))
    assert (back.version, back.deleted, back.method) == (3, False, "create")
    assert await record.ids(f"Patient?_id={id}&gender=male") == [id]


async def test_answers_come_in_the_order_of_the_changes(record: Record) -> None:
    ids = [record.fresh + name for name in ("c", "a", "b")]
    changes = [change(patient(ids[0])), change(observation(ids[1])), change(patient(ids[2]))]
    assert [each.id for each in await record.write(*changes)] == ids
    assert await record.write() == []


async def test_all_are_written_or_none(record: Record) -> None:
    taken, free, other = (record.fresh + name for name in "abc")
    await record.save(patient(taken))
    with pytest.raises(Problem) as refused:
        await record.write(
            change(observation(other)), change(patient(free), "create"), change(patient(taken), "create")
        )
    assert (refused.value.status, refused.value.index) == (409, 2)
    assert await record.store.get([("Patient", free), ("Observation", other)], EVERYTHING) == [None, None]


async def test_one_resource_changed_twice_at_once_is_refused(record: Record) -> None:
    id = record.fresh + "a"
    assert await status_of(record.save(patient(id), patient(id))) == 400
    assert await status_of(record.write(change(patient(id)), deletion("Patient", id))) == 400


async def test_many_at_once_are_like_one_by_one(record: Record) -> None:
    ids = [f"{record.fresh}{number:04}" for number in range(1200)]
    assert len(await record.save(*(patient(id, gender="male") for id in ids))) == 1200
    found = await record.store.get([("Patient", id) for id in ids], EVERYTHING)
    assert [each.id for each in found] == ids


async def test_each_change_is_told_with_its_topics(record: Record, feed: Any) -> None:
    id = record.fresh + "a"
    before = await feed.position()
    await record.write(change(patient(id), topics=("Patient-person.registered",)), work="work-1")
    await record.save(observation(id, f"Patient/{id}"))
    await record.save(patient(id, gender="male"))
    await record.save(patient(id, gender="male"), skip_same=True)
    await record.write(deletion("Observation", id))
    notices = [n for n in await feed.after(before, 100) if n.id == id]
    assert [(n.topic, n.version) for n in notices] == [
        ("Patient.created", 1),
        ("Patient-person.registered", 1),
        ("Observation.created", 1),
        ("Patient.updated", 2),
        ("Observation.deleted", 2),
    ]
    assert {n.subject for n in notices} == {f"Patient/{id}"}
    assert notices[0].cause == "work-1"


async def test_what_has_no_patient_is_its_own_subject(record: Record, feed: Any) -> None:
    id = record.fresh + "a"
    before = await feed.position()
    await record.save({"resourceType": "Organization", "id": id, "name": "x"})
    assert [n.subject for n in await feed.after(before, 10)] == [f"Organization/{id}"]


async def test_what_is_about_one_patient_names_the_same(record: Record) -> None:
    id = record.fresh + "a"
    (whom,) = await record.save(patient(id))
    (about,) = await record.save(observation(id, f"Patient/{id}"))
    (nobody,) = await record.save({"resourceType": "Organization", "id": id, "name": "x"})
    assert whom.patient == about.patient is not None
    assert nobody.patient is None


async def test_a_transaction_sees_its_own_writes_and_nobody_else_does(record: Record) -> None:
    id = record.fresh + "a"
    async with record.store.transaction() as transaction:
        now = await transaction.now()
        await transaction.lock([f"Patient/{id}", "condition:x"])
        (stored,) = await transaction.write([change(patient(id))], audited())
        assert (await transaction.get([("Patient", id)], EVERYTHING))[0] == stored
        assert await current(record, "Patient", id) is None
        await transaction.write([change(observation(id, f"Patient/{id}"))], audited())
        assert await transaction.now() == now
    assert await current(record, "Patient", id) == stored
    assert (await current(record, "Observation", id)).version == 1


async def test_a_transaction_that_fails_leaves_nothing(record: Record, feed: Any) -> None:
    id = record.fresh + "a"
    before = await feed.position()
    with pytest.raises(RuntimeError):
        async with record.store.transaction() as transaction:
            await transaction.write([change(patient(id))], audited())
            raise RuntimeError("the work fails")
    assert await current(record, "Patient", id) is None
    assert [n for n in await feed.after(before, 100) if n.id == id] == []


async def test_a_refused_write_leaves_the_transaction_usable(record: Record) -> None:
    id = record.fresh + "a"
    await record.save(patient(id))
    async with record.store.transaction() as transaction:
        assert await status_of(transaction.write([change(patient(id), "create")], audited())) == 409
        await transaction.write([change(patient(id, gender="male"))], audited())
    assert (await current(record, "Patient", id)).version == 2

"""Writing by a reach: what is out of it cannot be touched, and no answer tells whether it is there."""

from dataclasses import replace
from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change
from tests.store.contract.speaking import Record, asked, audited, change, deletion, observation, patient

Json = dict[str, Any]


class Practice:
    """A doctor with a patient; another patient elsewhere; an observation of each."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.store = record.store
        self.mine, self.other, self.absent = (f"{record.fresh}{each}" for each in ("mine", "other", "absent"))
        self.doctor = {"reference": f"Practitioner/{record.fresh}d"}
        self.reach = Reach((Grant(parties=frozenset((self.doctor["reference"],))),))

    async def fill(self) -> None:
        await self.record.save(patient(self.mine, generalPractitioner=[self.doctor]), patient(self.other))
        await self.record.save(self.observation(self.mine), self.observation(self.other))

    def observation(self, id: str, whose: str = "", **elements: Any) -> Json:
        return observation(id, f"Patient/{whose or id}", **elements)

    async def tried(self, *changes: Change, reach: Reach | None = None) -> tuple[int, str]:
        """The refusal of a write, the same alone and in a transaction of others."""
        with pytest.raises(Problem) as alone:
            await self.store.write(changes, audited(), reach or self.reach)
        with pytest.raises(Problem) as within:
            async with self.store.transaction() as transaction:
                await transaction.write(changes, audited(), reach or self.reach)
        assert (alone.value.status, str(alone.value), alone.value.index) == (
            within.value.status,
            str(within.value),
            within.value.index,
        )
        return alone.value.status, str(alone.value)

    async def done(self, *changes: Change, reach: Reach | None = None) -> list[str]:
        return [each.method for each in await self.store.write(changes, audited(), reach or self.reach)]


@pytest.fixture
async def practice(record: Record) -> Practice:
    made = Practice(record)
    await made.fill()
    return made


async def test_what_is_in_reach_is_written_as_ever(practice: Practice) -> None:
    body = practice.observation(practice.mine)
    assert await practice.done(change(body | {"status": "amended"})) == ["update"]
    assert await practice.done(change(body | {"status": "amended"}, skip_same=True)) == ["found"]
    new = practice.observation(practice.record.fresh + "new", practice.mine)
    assert await practice.done(change(new, "create")) == ["create"]
    assert await practice.done(deletion("Observation", new["id"])) == ["delete"]
    assert await practice.done(deletion("Observation", new["id"])) == ["found"]


ATTEMPTS: dict[str, dict[str, Any]] = {
    "update": {},
    "update of a version": {"if_match": 1},
    "update of another version": {"if_match": 7},
    "update without a change": {"skip_same": True},
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_what_is_out_of_reach_is_not_there(practice: Practice, attempt: str) -> None:
    def asked_of(id: str) -> Change:
        return change(practice.observation(id, practice.mine), **ATTEMPTS[attempt])

    status, words = await practice.tried(asked_of(practice.other))
    assert status == 404
    assert (status, words) == tuple(
        each.replace(practice.absent, practice.other) if isinstance(each, str) else each
        for each in await practice.tried(asked_of(practice.absent))
    )


async def test_deleting_what_is_out_of_reach_tells_nothing(practice: Practice) -> None:
    for options in ({}, {"if_match": 1}, {"if_match": 7}):
        status, words = await practice.tried(deletion("Observation", practice.other, **options))
        absent = await practice.tried(deletion("Observation", practice.absent, **options))
        assert (status, words.replace(practice.other, practice.absent)) == absent == (404, absent[1])


async def test_an_update_makes_nothing_new_nor_brings_anything_back(practice: Practice) -> None:
    gone = practice.observation(practice.record.fresh + "gone", practice.mine)
    await practice.record.save(gone)
    await practice.record.write(deletion("Observation", gone["id"]))
    assert (await practice.tried(change(gone)))[0] == 404
    assert await practice.done(change(gone), reach=EVERYTHING) == ["create"]


async def test_nothing_is_written_about_who_is_out_of_reach(practice: Practice) -> None:
    id = practice.record.fresh + "new"
    about = [
        await practice.tried(change(practice.observation(id, whose), "create"))
        for whose in (practice.other, practice.absent)
    ]
    about.append(await practice.tried(change(observation(id), "create")))
    about.append(await practice.tried(change(practice.observation(practice.mine, practice.other))))
    about.append(await practice.tried(change(practice.observation(practice.mine, practice.absent))))
    assert {status for status, _ in about} == {403}
    assert len(set(about)) == 1, "one sentence, whoever is there"


async def test_nobody_makes_a_tie_by_the_write_that_needs_it(practice: Practice) -> None:
    own = patient(practice.record.fresh + "new", generalPractitioner=[practice.doctor])
    assert (await practice.tried(change(own, "create")))[0] == 403
    taken = patient(practice.other, generalPractitioner=[practice.doctor])
    assert (await practice.tried(change(taken)))[0] == 404
    encounter = {
        "resourceType": "Encounter",
        "id": practice.record.fresh + "e",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{practice.other}"},
        "participant": [{"individual": practice.doctor}],
    }
    together = [
        change(encounter, "create"),
        change(practice.observation(encounter["id"], practice.other), "create"),
    ]
    assert (await practice.tried(*together))[0] == 403


async def test_a_refusal_anywhere_undoes_the_whole(practice: Practice) -> None:
    fine = practice.observation(practice.record.fresh + "fine", practice.mine)
    wrong = practice.observation(practice.record.fresh + "wrong", practice.other)
    with pytest.raises(Problem) as refused:
        await practice.store.write(
            [change(fine, "create"), change(wrong, "create")], audited(), practice.reach
        )
    assert refused.value.index == 1
    assert await practice.record.ids(f"Observation?_id={fine['id']}") == []


def linked(practice: Practice, id: str, **elements: Any) -> Json:
    link = [{"other": {"reference": f"Patient/{id}"}, "type": "replaces"}]
    return patient(practice.mine, generalPractitioner=[practice.doctor], link=link, **elements)


async def test_nobody_is_made_one_with_a_person_out_of_reach(practice: Practice) -> None:
    unseen = await practice.tried(change(linked(practice, practice.other)))
    assert unseen == await practice.tried(change(linked(practice, practice.absent)))
    assert unseen[0] == 403
    second = patient(practice.record.fresh + "second", generalPractitioner=[practice.doctor])
    await practice.record.save(second)
    assert await practice.done(change(linked(practice, second["id"]))) == ["update"]


async def test_a_link_that_is_there_already_may_stay(practice: Practice) -> None:
    organization = {"reference": f"Organization/{practice.record.fresh}o"}
    reach = Reach((Grant(organizations=frozenset((organization["reference"],))),))
    body = linked(practice, practice.other, managingOrganization=organization)
    await practice.record.save(body)
    assert await practice.done(change(body | {"gender": "male"}), reach=reach) == ["update"]


async def test_criteria_and_groups_within_bound_what_is_written(practice: Practice) -> None:
    final = Grant(criteria=asked("Observation?status=final").where)
    reach = practice.reach.narrowed((final,))
    body = practice.observation(practice.mine)
    assert await practice.done(change(body | {"note": [{"text": "x"}]}), reach=reach) == ["update"]
    assert (await practice.tried(change(body | {"status": "amended"}), reach=reach))[0] == 403
    await practice.record.save(body | {"status": "amended"})
    assert (await practice.tried(change(body), reach=reach))[0] == 404


MASKED = Reach((Grant(),), masked=frozenset(("Patient.name",)))


async def test_whoever_sees_a_part_does_not_replace_the_whole(practice: Practice) -> None:
    body = patient(practice.mine, name=[{"family": "Anders"}])
    for options in ({}, {"skip_same": True}):
        assert (await practice.tried(change(body, **options), reach=MASKED))[0] == 403
    new = patient(practice.record.fresh + "new", name=[{"family": "Anders"}])
    stored = await practice.store.write([change(new, "create")], audited(), MASKED)
    assert b"Anders" not in stored[0].body
    again = change(practice.observation(practice.mine))
    assert await practice.done(again, reach=MASKED) == ["update"]


async def test_what_is_sensitive_is_written_by_whoever_knows_it_and_not_seen_again(
    practice: Practice,
) -> None:
    psychiatry = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
    label = "|".join(psychiatry.values())
    reach = replace(practice.reach, sensitive=frozenset((label,)))
    body = practice.observation(f"{practice.mine}-psy", practice.mine, meta={"security": [psychiatry]})
    assert await practice.done(change(body, "create"), reach=reach) == ["create"]
    assert await practice.store.get([("Observation", body["id"])], reach) == [None]
    assert (await practice.tried(change(body | {"status": "amended"}), reach=reach))[0] == 404
    stranger = practice.observation(f"{practice.other}-psy", practice.other, meta={"security": [psychiatry]})
    assert (await practice.tried(change(stranger, "create"), reach=reach))[0] == 403

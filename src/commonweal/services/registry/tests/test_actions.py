"""What is done about people and places, on the record in memory."""

from typing import Any

import pytest

from commonweal.boot import discovery
from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform import Draft, Permission
from commonweal.platform.catalogue import Catalogue
from commonweal.services.registry import actions, queries
from commonweal.services.registry.manifest import service
from commonweal.services.registry.rules import numbers

Json = dict[str, Any]
NUMBER = {"system": numbers.RESIDENT, "value": "330106198803150026"}
WANG = {"name": [{"family": "王", "given": ["秀英"]}], "gender": "female", "birthDate": "1988-03-15"}


async def _read(trial: Trial, type: str, id: str) -> Json:
    async with trial.work() as work:
        return codec.parse((await work.read(type, id)).body)


async def _register(trial: Trial, **more: Any) -> str:
    async with trial.work() as work:
        return (await actions.register_person(work, WANG | more)).id


async def _refused(trial: Trial, resource: Json, **more: Any) -> str:
    async with trial.work() as work:
        with pytest.raises(Problem) as refusal:
            await work.save(resource, **more)
    assert refusal.value.status == 422
    return "; ".join(each.diagnostics for each in refusal.value.issues)


async def test_a_person_is_registered_with_a_number(trial: Trial) -> None:
    id = await _register(trial, identifier=[NUMBER])
    assert (await _read(trial, "Patient", id))["identifier"] == [NUMBER]


async def test_a_person_of_whom_nothing_is_said_is_not_registered(trial: Trial) -> None:
    async with trial.work() as work:
        with pytest.raises(Problem, match="a name is needed"):
            await actions.register_person(work, {"gender": "female"})


async def test_a_number_has_one_record_and_nobody_is_told_whose(trial: Trial) -> None:
    first = await _register(trial, identifier=[NUMBER])
    said = await _refused(trial, {"resourceType": "Patient", "identifier": [NUMBER]})
    assert (
        said
        == "this person cannot be registered in this way; ask Patient/$register, which tells the match review"
    )
    assert first not in said and "王" not in said


async def test_the_rule_sees_whom_the_writer_may_not_see() -> None:
    """It asks as the platform; else whoever may see nobody could register everybody again."""
    clerk = Permission("desk.write", "Write, and see nothing", roles=("clerk",), allows=("Patient.create",))
    registry = {"registry": discovery.definitions("registry")}
    trial = Trial(Catalogue([service], registry, [*discovery.RECORD, clerk]))
    await _register(trial, identifier=[NUMBER])
    async with trial.work("clerk") as work:
        with pytest.raises(Problem) as refusal:
            await work.search("Patient?gender=female")
    assert refusal.value.status == 403
    async with trial.work("clerk") as work:
        with pytest.raises(Problem, match="cannot be registered in this way"):
            await work.save({"resourceType": "Patient", "identifier": [NUMBER]})


async def test_two_people_of_one_bundle_cannot_have_one_number(trial: Trial) -> None:
    twice = [Draft({"resourceType": "Patient", "identifier": [NUMBER]}, "create") for _ in range(2)]
    async with trial.work() as work:
        with pytest.raises(Problem, match="cannot be registered in this way"):
            await work.save_all(twice)


async def test_an_old_number_is_free_again(trial: Trial) -> None:
    await _register(trial, identifier=[NUMBER | {"use": "old"}])
    await _register(trial, identifier=[NUMBER])


async def test_what_was_imported_is_not_judged_and_keeps_nobody_from_care(trial: Trial) -> None:
    wrong = {"system": numbers.RESIDENT, "value": "330106198803150027"}
    patient = {"resourceType": "Patient", "id": "old", "identifier": [wrong]}
    async with trial.work() as work:
        await work.save_all([Draft(patient, "update")], imported=True)
    async with trial.work() as work:
        await work.save(patient | {"active": True})
    other = {"system": numbers.RESIDENT, "value": "330106198803150028"}
    assert "check character" in await _refused(trial, patient | {"identifier": [wrong, other]})


async def test_a_newborn_gets_its_name_in_the_same_record(trial: Trial) -> None:
    mother = await _register(trial)
    born = {"gender": "male", "birthDate": "2026-01-05", "multipleBirthInteger": 1}
    async with trial.work() as work:
        child = await actions.register_newborn(work, mother, born)
    async with trial.work() as work:
        named = codec.parse((await work.read("Patient", child.id)).body)
        await work.save(named | {"name": [{"family": "李", "given": ["安"]}]})
        found = await work.search(f"RelatedPerson?patient=Patient/{child.id}")
    link = (await _read(trial, "Patient", mother))["link"]
    assert [each["type"] for each in link] == ["seealso"]
    assert link[0]["other"]["reference"] == found.matches[0].reference
    assert (await _read(trial, "Patient", child.id))["name"][0]["family"] == "李"


async def test_a_newborn_of_nobody_is_refused(trial: Trial) -> None:
    unnamed = {"resourceType": "Patient", "name": [{"use": "temp", "text": "baby"}], "gender": "male"}
    assert "needs its mother" in await _refused(trial, unnamed)


async def _country(trial: Trial) -> tuple[str, str]:
    async with trial.work() as work:
        country = await actions.add_place(work, "area", "Honghu")
        village = await actions.add_place(work, "grid", "Third grid", country.id)
    return country.id, village.id


async def test_places_lie_in_each_other(trial: Trial) -> None:
    country, grid = await _country(trial)
    async with trial.work() as work:
        above = await queries.ancestors(work, await _read(trial, "Location", grid))
        assert [each["id"] for each in above] == [country]
        assert [each["id"] for each in await queries.places_in(work, None)] == [country]
        assert [each["id"] for each in await queries.places_in(work, country)] == [grid]


async def test_a_place_is_not_put_into_itself_or_into_nothing(trial: Trial) -> None:
    country, grid = await _country(trial)
    area = await _read(trial, "Location", country)
    within = {"partOf": {"reference": f"Location/{grid}"}}
    assert await _refused(trial, area | within) == "it would be part of itself"
    nowhere = {"partOf": {"reference": "Location/nowhere"}}
    assert "does not exist" in await _refused(trial, area | nowhere)


async def test_places_of_one_bundle_may_lie_in_each_other(trial: Trial) -> None:
    area = {
        "resourceType": "Location",
        "status": "active",
        "type": [{"coding": [{"system": "urn:commonweal:place", "code": "area"}]}],
    }
    outer, inner = area | {"id": "outer"}, area | {"id": "inner", "partOf": {"reference": "Location/outer"}}
    async with trial.work() as work:
        await work.save_all([Draft(inner), Draft(outer)])


async def test_a_household_moves(trial: Trial) -> None:
    area, grid = await _country(trial)
    head, child = await _register(trial), await _register(trial)
    async with trial.work() as work:
        household = await actions.register_household(work, head, [child], area)
        await actions.move_household(work, household.id, grid)
    async with trial.work() as work:
        assert not await queries.households_at(work, area)
        (found,) = await queries.households_at(work, grid)
        assert [each["entity"]["reference"] for each in found["member"]] == [
            f"Patient/{head}",
            f"Patient/{child}",
        ]
        assert await queries.counts_in(work, [area, grid]) == {
            area: queries.Counts(1, 0),
            grid: queries.Counts(0, 1),
        }


async def test_a_closed_facility_stays_closed(trial: Trial) -> None:
    async with trial.work() as work:
        clinic = codec.parse((await actions.add_place(work, "facility", "Fever clinic")).body)
        await work.save(clinic | {"status": "suspended"})
        await work.save(clinic | {"status": "inactive"})
    assert "may not go from inactive to active" in await _refused(trial, clinic)


def _without_meta(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name != "meta"}


@pytest.mark.parametrize("active", [{}, {"active": True}, {"active": False}])
async def test_a_merge_is_undone_exactly(trial: Trial, active: Json) -> None:
    """Whatever was written in between stays."""
    one, two = await _register(trial, **active), await _register(trial, identifier=[NUMBER])
    before = [_without_meta(await _read(trial, "Patient", id)) for id in (one, two)]
    async with trial.work() as work:
        await actions.merge(work, one, two, because="the same person")
    merged = await _read(trial, "Patient", one)
    assert merged["active"] is False
    async with trial.work() as work:
        await work.save(merged | {"telecom": [{"system": "phone", "value": "1"}]})
        await actions.unmerge(work, one, two, because="a mistake")
    after = [_without_meta(await _read(trial, "Patient", id)) for id in (one, two)]
    assert after == [before[0] | {"telecom": [{"system": "phone", "value": "1"}]}, before[1]]


async def test_what_was_not_merged_cannot_be_split(trial: Trial) -> None:
    one, two = await _register(trial), await _register(trial)
    async with trial.work() as work:
        with pytest.raises(Problem, match="was not merged"):
            await actions.unmerge(work, one, two, because="a mistake")

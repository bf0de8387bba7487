"""An emergency access: for a reason, a short while, told, reviewed; and what it cannot be made into."""

from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.platform import Draft
from commonweal.services.privacy.rules import duties
from commonweal.services.privacy.tests.conftest import Ask
from commonweal.services.privacy.tests.county import (
    DESK,
    DOCTOR,
    NUMBERS,
    OFFICER,
    OTHER,
    WANG,
    read,
    reference,
    resources,
)

Json = dict[str, Any]
OPEN = "Patient/$emergency-access"
WHY = "送来时已昏迷不醒，无法询问过敏史和当前用药"
BY_NUMBER = {"identifier": NUMBERS["wang"], "birthDate": "1988-03-15"}
ASKED = BY_NUMBER | {"code": "unconscious", "reason": WHY}


async def _sees(trial: Trial, agent: Agent) -> bool:
    async with trial.work(agent=agent) as work:
        return bool((await work.search("Observation?subject=Patient/wang")).matches)


async def test_a_record_is_open_for_an_hour_to_whoever_opened_it(county: Trial, ask: Ask) -> None:
    assert not await _sees(county, DOCTOR)
    answer = await ask(DOCTOR, OPEN, **ASKED)
    assert reference(answer, "patient") == "Patient/wang"
    assert await _sees(county, DOCTOR)
    assert not await _sees(county, OTHER)
    await county.pass_time(minutes=59)
    assert await _sees(county, DOCTOR)
    await county.pass_time(minutes=1, seconds=1)
    assert not await _sees(county, DOCTOR)


async def test_the_person_is_told_by_the_way_they_can_be_reached(county: Trial, ask: Ask) -> None:
    task = await read(county, reference(await ask(DOCTOR, OPEN, **ASKED), "task"))
    (notice,) = duties.given(task, "notice")
    told = await read(county, notice["reference"])
    assert told["recipient"] == [{"reference": "Patient/wang"}]
    assert told["medium"][0]["coding"][0]["code"] == "SMSWRIT"
    assert "2026-01-05 09:00" in told["payload"][0]["contentString"]
    assert "昏迷" not in told["payload"][0]["contentString"]


@pytest.mark.parametrize(
    "who",
    [
        BY_NUMBER,
        {"family": "王", "given": "秀英", "birthDate": "1988-03-15"},
        {"identifier": "330106 19880315 0026", "birthDate": "1988-03-15"},
    ],
)
async def test_somebody_is_found_by_a_number_or_an_exact_name(ask: Ask, who: dict[str, str]) -> None:
    answer = await ask(DOCTOR, OPEN, **who, code="unconscious", reason=WHY)
    assert reference(answer, "patient") == "Patient/wang"


@pytest.mark.parametrize(
    "who",
    [
        {"identifier": NUMBERS["wang"], "birthDate": "1988-03-16"},
        {"identifier": "330106198803150027", "birthDate": "1988-03-15"},
        {"family": "王", "given": "秀", "birthDate": "1988-03-15"},
        {"family": "王", "given": "秀英", "birthDate": "1988"},
        {"family": "王", "birthDate": "1988-03-15"},
        {"identifier": "330106*", "birthDate": "1988-03-15"},
        {"identifier": f"{NUMBERS['wang']},{NUMBERS['zhao']}", "birthDate": "1988-03-15"},
        {},
    ],
)
async def test_whoever_is_not_found_exactly_is_told_one_sentence(ask: Ask, who: dict[str, str]) -> None:
    with pytest.raises(Problem, match="nobody was found by exactly this, or more than one person was"):
        await ask(DOCTOR, OPEN, **who, code="unconscious", reason=WHY)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": "昏迷"}, "say in words of your own"),
        ({"reason": "x" + " " * 30}, "say in words of your own"),
        ({"code": "curious"}, "choose what kind of emergency"),
        ({"code": ""}, "choose what kind of emergency"),
    ],
)
async def test_without_a_reason_nobody_is_looked_for(
    county: Trial, ask: Ask, wrong: dict[str, str], said: str
) -> None:
    before = len(county.store.audited)
    with pytest.raises(Problem, match=said):
        await ask(DOCTOR, OPEN, **(ASKED | wrong))
    assert not [row for row in county.store.audited[before:] if row.type == "Patient"]


async def test_another_takes_a_new_reason_and_ends_the_first(county: Trial, ask: Ask) -> None:
    first = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    await county.pass_time(minutes=50)
    with pytest.raises(Problem, match="say a new reason"):
        await ask(DOCTOR, OPEN, **ASKED)
    answer = await ask(DOCTOR, OPEN, **(ASKED | {"reason": "手术中大出血，需要核对血型和凝血病史"}))
    second = reference(answer, "task")
    assert (await read(county, first))["restriction"]["period"]["end"] == "2026-01-05T09:49:59Z"
    assert (await read(county, second))["partOf"] == [{"reference": first}]
    open_ones = resources(await ask(DOCTOR, "$emergency-accesses"), "task")
    assert [f"Task/{each['id']}" for each in open_ones] == [second]
    await county.pass_time(minutes=30)
    assert await _sees(county, DOCTOR)


async def test_it_is_ended_before_its_time_by_whoever_opened_it(county: Trial, ask: Ask) -> None:
    task = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    await county.pass_time(minutes=5)
    with pytest.raises(Problem) as refusal:
        await ask(OTHER, "$end-emergency-access", task=task)
    assert refusal.value.status == 404
    await ask(DOCTOR, "$end-emergency-access", task=task)
    assert not await _sees(county, DOCTOR)


async def _refused(trial: Trial, task: Json) -> str:
    async with trial.work("system") as work:
        with pytest.raises(Problem) as refusal:
            await work.save(task)
    assert refusal.value.status == 422
    return "; ".join(each.diagnostics for each in refusal.value.issues)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"restriction": {"period": {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T10:00:01Z"}}},
            "longer only",
        ),
        ({"restriction": {"period": {"start": "2026-01-05T09:00:00Z"}}}, "longer only"),
        (
            {"restriction": {"period": {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T10:00:00Z"}}},
            "stays as it is",
        ),
        ({"for": {"reference": "Patient/zhao"}}, "stays as it is"),
        ({"requester": {"reference": "Practitioner/li"}}, "stays as it is"),
    ],
)
async def test_it_cannot_be_made_into_more(county: Trial, ask: Ask, change: Json, said: str) -> None:
    """Not even by the platform itself."""
    task = await read(county, reference(await ask(DOCTOR, OPEN, **ASKED), "task"))
    assert said in await _refused(county, task | change)


async def test_it_cannot_be_written_without_what_belongs_to_it(county: Trial, ask: Ask) -> None:
    task = await read(county, reference(await ask(DOCTOR, OPEN, **ASKED), "task"))
    new = {key: value for key, value in task.items() if key not in ("id", "meta")}
    silent = [each for each in new["input"] if duties.coded(each["type"], duties.TASK) != "notice"]
    assert "the person is told of it" in await _refused(county, new | {"input": silent})
    for_another = new | {"for": {"reference": "Patient/zhao"}}
    assert "the person is told of it" in await _refused(county, for_another)
    later = {"start": "2026-01-06T09:00:00Z", "end": "2026-01-06T10:00:00Z"}
    assert "it begins when it is asked for" in await _refused(
        county, new | {"restriction": {"period": later}}
    )
    longer = {"start": "2026-01-05T09:00:00Z", "end": "2026-01-06T09:00:00Z"}
    assert "open for longer" in await _refused(county, new | {"restriction": {"period": longer}})


async def test_nobody_writes_the_task_themselves(county: Trial, ask: Ask) -> None:
    """Neither whom it is about, nor whoever may open one by the operation."""
    task = await read(county, reference(await ask(DOCTOR, OPEN, **ASKED), "task"))
    new = {key: value for key, value in task.items() if key not in ("id", "meta")}
    for agent in (DOCTOR, WANG, DESK):
        for written in (new, task):
            async with county.work(agent=agent) as work:
                with pytest.raises(Problem) as refusal:
                    await work.save(written)
            assert refusal.value.status == 403


@pytest.mark.parametrize("agent", [DESK, OFFICER, WANG, Agent("Practitioner/x", frozenset({"anonymous"}))])
async def test_only_those_who_give_care_open_a_record(ask: Ask, agent: Agent) -> None:
    with pytest.raises(Problem) as refusal:
        await ask(agent, OPEN, **ASKED)
    assert refusal.value.status == 403


async def test_a_review_finds_it_justified(county: Trial, ask: Ask) -> None:
    task = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    (waiting,) = resources(await ask(OFFICER, "$privacy-queue"), "task")
    assert f"Task/{waiting['id']}" == task
    await ask(OFFICER, "$privacy-answer", task=task, answer="justified", finding="急诊病历与时间相符")
    assert not resources(await ask(OFFICER, "$privacy-queue"), "task")
    assert await _sees(county, DOCTOR)
    (case,) = resources(await ask(WANG, "Patient/$privacy-cases", patient="Patient/wang"), "task")
    assert duties.given(case, "finding", "output") == ["急诊病历与时间相符"]


async def test_one_that_was_not_justified_ends_at_once_and_is_followed_up(county: Trial, ask: Ask) -> None:
    task = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    await county.pass_time(minutes=10)
    await ask(OFFICER, "$privacy-answer", task=task, answer="not-justified", finding="无急诊记录")
    assert not await _sees(county, DOCTOR)
    (follow,) = resources(await ask(OFFICER, "$privacy-queue"), "task")
    assert duties.coded(follow["code"], duties.TASK) == "access-follow-up"
    assert duties.given(follow, "about") == [{"reference": task}]


async def test_nobody_reviews_their_own(county: Trial, ask: Ask) -> None:
    both = Agent(DOCTOR.id, frozenset({"clinician", "privacy-officer"}), "TREAT", DOCTOR.organization)
    task = reference(await ask(both, OPEN, **ASKED), "task")
    with pytest.raises(Problem, match="nobody reviews what they did themselves"):
        await ask(both, "$privacy-answer", task=task, answer="justified", finding="fine")


async def test_a_finding_has_words_and_an_answer_that_there_is(county: Trial, ask: Ask) -> None:
    task = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    with pytest.raises(Problem, match="does not say what was found"):
        await ask(OFFICER, "$privacy-answer", task=task, answer="justified", finding=" ")
    with pytest.raises(Problem, match="may not go from waiting to in-order"):
        await ask(OFFICER, "$privacy-answer", task=task, answer="in-order", finding="fine")


async def test_a_review_that_waits_becomes_urgent(county: Trial, ask: Ask) -> None:
    task = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    await county.pass_time(hours=18)
    assert (await read(county, task))["priority"] == "urgent"
    await county.pass_time(hours=6)
    assert (await read(county, task))["priority"] == "asap"
    await ask(OFFICER, "$privacy-answer", task=task, answer="justified", finding="fine")
    await county.pass_time(days=9)
    assert (await read(county, task))["priority"] == "asap"


async def test_an_arrival_begins_a_relationship(county: Trial, ask: Ask) -> None:
    answer = await ask(DESK, "Patient/$arrive", **BY_NUMBER)
    encounter = await read(county, reference(answer, "encounter"))
    assert encounter["serviceProvider"] == {"reference": "Organization/clinic"}
    assert encounter["status"] == "arrived"
    again = await ask(DESK, "Patient/$arrive", **BY_NUMBER)
    assert reference(again, "encounter") == reference(answer, "encounter")
    async with county.work(agent=DESK) as work:
        assert [each.id for each in (await work.search("Patient?birthdate=1988-03-15")).matches] == ["wang"]


@pytest.mark.parametrize(
    "who",
    [
        {"identifier": NUMBERS["wang"], "birthDate": "1988-03-16"},
        {"identifier": "110105194912310028", "birthDate": "1949-12-31"},
        {"identifier": NUMBERS["wang"], "birthDate": ""},
    ],
)
async def test_an_arrival_of_nobody_is_one_sentence(ask: Ask, who: dict[str, str]) -> None:
    with pytest.raises(Problem, match="nobody was found by exactly this"):
        await ask(DESK, "Patient/$arrive", **who)


async def test_an_arrival_of_which_nobody_says_more_is_over(county: Trial, ask: Ask) -> None:
    first = reference(await ask(DESK, "Patient/$arrive", **BY_NUMBER), "encounter")
    await county.pass_time(hours=25)
    assert reference(await ask(DESK, "Patient/$arrive", **BY_NUMBER), "encounter") != first
    await county.pass_time(days=33)
    async with county.work(agent=DESK) as work:
        assert not (await work.search("Patient?birthdate=1988-03-15")).matches


@pytest.mark.parametrize("more", [{"active": False}, {"active": False, "link": []}])
async def test_a_record_that_is_not_in_use_is_in_nobodys_way(county: Trial, ask: Ask, more: Json) -> None:
    """A provisional one of the same number, or one that was merged."""
    twin = await read(county, "Patient/wang") | {"id": "twin"} | more
    async with county.work() as work:
        await work.save_all([Draft({key: twin[key] for key in twin if twin[key] != []})], imported=True)
    assert reference(await ask(DOCTOR, OPEN, **ASKED), "patient") == "Patient/wang"


async def test_an_arrival_is_somewhere(ask: Ask) -> None:
    nowhere = Agent("Practitioner/desk", frozenset({"registrar"}), "HOPERAT")
    with pytest.raises(Problem, match="an arrival is at an organization"):
        await ask(nowhere, "Patient/$arrive", **BY_NUMBER)

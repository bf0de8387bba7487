"""Who acts for whom: granted, recorded, claimed, ended, disputed, decided."""

from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.services.privacy.rules import duties, people
from commonweal.services.privacy.tests.conftest import Ask
from commonweal.services.privacy.tests.county import (
    DESK,
    DOCTOR,
    NUMBERS,
    OFFICER,
    SUN,
    WANG,
    ZHAO,
    read,
    reference,
    resources,
)

Json = dict[str, Any]
CHILD = {"identifier": NUMBERS["child"], "birthDate": "2018-05-01"}
PARENT = {"role": "PRN", **CHILD, "document": "birth certificate P330000001"}
OF_ZHAO = {"proxy_identifier": NUMBERS["zhao"], "proxy_birthDate": "1985-07-12"}
OF_SUN = {"proxy_identifier": NUMBERS["sun"], "proxy_birthDate": "1970-01-01"}
TO_ZHAO = {"patient": "Patient/wang", "identifier": NUMBERS["zhao"], "family": "赵", "given": "安"}

TO_WANG = {"patient": "Patient/child", "identifier": NUMBERS["wang"], "family": "王", "given": "秀英"}


async def _sees(trial: Trial, agent: Agent, type: str, of: str) -> bool:
    async with trial.work(agent=agent) as work:
        return bool((await work.search(f"{type}?subject=Patient/{of}")).matches)


async def test_somebody_is_let_act_until_a_day(county: Trial, ask: Ask) -> None:
    assert not await _sees(county, ZHAO, "Observation", "wang")
    consent = await read(
        county, reference(await ask(WANG, "Patient/$grant-proxy", **TO_ZHAO, until="2026-02-01"), "consent")
    )
    assert people.proxy_of(consent) == "Patient/zhao" and people.role_of(consent) == "DELEGATEE"
    assert consent["provision"]["period"] == {"start": "2026-01-05", "end": "2026-02-01"}
    assert await _sees(county, ZHAO, "Observation", "wang")
    assert not await _sees(county, SUN, "Observation", "wang")
    await county.pass_time(days=28)
    assert not await _sees(county, ZHAO, "Observation", "wang")


async def test_somebody_is_let_act_for_some_types_alone(county: Trial, ask: Ask) -> None:
    await ask(WANG, "Patient/$grant-proxy", **TO_ZHAO, until="2026-02-01", type=["Appointment"])
    assert not await _sees(county, ZHAO, "Observation", "wang")


async def test_what_was_granted_is_ended_by_either(county: Trial, ask: Ask) -> None:
    for agent in (WANG, ZHAO):
        answer = await ask(WANG, "Patient/$grant-proxy", **TO_ZHAO, until="2026-02-01")
        consent = reference(answer, "consent")
        with pytest.raises(Problem) as refusal:
            await ask(SUN, "$withdraw-consent", consent=consent)
        assert refusal.value.status == 404, "it tells nobody else that there is one"
        await ask(agent, "$withdraw-consent", consent=consent)
        assert (await read(county, consent))["status"] == "inactive"
        assert not await _sees(county, ZHAO, "Observation", "wang")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"given": "宁"}, "nobody was found by exactly this"),
        ({"identifier": "330106198507120019"}, "nobody was found by exactly this"),
        ({"family": "", "given": ""}, "nobody was found by exactly this"),
        ({"until": ""}, "say until when"),
        ({"until": "2026-01-04"}, "the last day has passed"),
        ({"until": "2031-01-06"}, "too far away"),
        ({"identifier": NUMBERS["wang"], "family": "王", "given": "秀英"}, "nobody is their own proxy"),
    ],
)
async def test_what_cannot_be_granted(ask: Ask, wrong: dict[str, str], said: str) -> None:
    asked = TO_ZHAO | {"until": "2026-02-01"} | wrong
    with pytest.raises(Problem, match=said):
        await ask(WANG, "Patient/$grant-proxy", **asked)


async def test_nobody_grants_for_another(county: Trial, ask: Ask) -> None:
    """Not even whoever acts for them, unless by law."""
    asked = TO_ZHAO | {"patient": "Patient/sun", "until": "2026-02-01"}
    with pytest.raises(Problem, match="only the person, a parent or a guardian"):
        await ask(WANG, "Patient/$grant-proxy", **asked)
    await ask(WANG, "Patient/$grant-proxy", **TO_ZHAO, until="2026-02-01")
    to_sun = {"patient": "Patient/wang", "identifier": NUMBERS["sun"], "family": "孙", "given": "立"}
    with pytest.raises(Problem, match="only the person, a parent or a guardian"):
        await ask(ZHAO, "Patient/$grant-proxy", **to_sun, until="2026-02-01")


async def test_a_parent_is_recorded_until_the_child_is_asked_itself(county: Trial, ask: Ask) -> None:
    consent = await read(
        county, reference(await ask(DESK, "Patient/$record-guardian", **PARENT, **OF_ZHAO), "consent")
    )
    assert consent["provision"]["period"]["end"] == "2032-04-30"
    assert consent["sourceAttachment"] == {"title": "birth certificate P330000001"}
    await ask(ZHAO, "Patient/$grant-proxy", **TO_WANG, until="2026-02-01")
    others = resources(await ask(ZHAO, "Patient/$proxies", patient="Patient/child"), "consent")
    assert {people.proxy_of(each) for each in others} == {"Patient/zhao", "Patient/wang"}


async def test_whoever_is_acted_for_is_told(county: Trial, ask: Ask) -> None:
    """What a desk records could be a mistake, or worse."""
    guardian = {
        "role": "GUARD",
        "identifier": NUMBERS["wang"],
        "birthDate": "1988-03-15",
        "document": "court",
    }
    await ask(DESK, "Patient/$record-guardian", **guardian, **OF_SUN)
    async with county.work() as work:
        (told,) = (await work.search("CommunicationRequest?recipient=Patient/wang")).matches
    assert "代理".encode() in told.body and b"SMSWRIT" in told.body


async def test_a_parent_of_somebody_grown_up_is_not(ask: Ask) -> None:
    grown = {"role": "PRN", "identifier": NUMBERS["wang"], "birthDate": "1988-03-15", "document": "x"}
    with pytest.raises(Problem, match="too old"):
        await ask(DESK, "Patient/$record-guardian", **grown, **OF_ZHAO)


async def test_a_mother_is_known_from_the_birth(county: Trial, ask: Ask) -> None:
    """https://hl7.org/fhir/R4/relatedperson.html, as the registry links it."""
    with pytest.raises(Problem, match="nobody was found by exactly this"):
        await ask(WANG, "Patient/$claim-child", **CHILD)
    mother = {"coding": [{"system": people.ROLE, "code": "MTH"}]}
    related = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": "Patient/child"},
        "relationship": [mother],
    }
    woman = await read(county, "Patient/wang")
    async with county.work() as work:
        other = await work.save(related)
        link = {"other": {"reference": other.reference}, "type": "seealso"}
        await work.save(woman | {"link": [link]})
    consent = reference(await ask(WANG, "Patient/$claim-child", **CHILD), "consent")
    assert people.role_of(await read(county, consent)) == "PRN"
    with pytest.raises(Problem, match="acts for them already"):
        await ask(WANG, "Patient/$claim-child", **CHILD)


async def test_two_guardians_are_a_conflict_until_it_is_decided(county: Trial, ask: Ask) -> None:
    first = reference(await ask(DESK, "Patient/$record-guardian", **PARENT, **OF_ZHAO), "consent")
    guardian = PARENT | {"role": "GUARD", "document": "court of Honghu, 2026-17"}
    conflict = reference(await ask(DESK, "Patient/$record-guardian", **guardian, **OF_SUN), "task")
    assert duties.given(await read(county, conflict), "about") == [{"reference": first}]
    with pytest.raises(Problem, match="it is disputed who may act"):
        await ask(DESK, "Patient/$record-guardian", **guardian, **OF_SUN)
    with pytest.raises(Problem, match="it is disputed who may act"):
        await ask(ZHAO, "Patient/$grant-proxy", **TO_WANG, until="2026-02-01")
    answer = {"task": conflict, "answer": "decided", "finding": "the court's decision stands", "end": first}
    await ask(OFFICER, "$privacy-answer", **answer)
    assert (await read(county, first))["status"] == "inactive"
    assert reference(await ask(DESK, "Patient/$record-guardian", **guardian, **OF_SUN), "consent")


async def test_a_guardian_is_contested_not_dismissed(county: Trial, ask: Ask) -> None:
    guardian = {
        "role": "GUARD",
        "identifier": NUMBERS["wang"],
        "birthDate": "1988-03-15",
        "document": "court",
    }
    consent = reference(await ask(DESK, "Patient/$record-guardian", **guardian, **OF_SUN), "consent")
    with pytest.raises(Problem, match="contested, not dismissed"):
        await ask(WANG, "$withdraw-consent", consent=consent)
    asked = {"patient": "Patient/wang", "consent": consent}
    with pytest.raises(Problem, match="say why it is disputed"):
        await ask(WANG, "Patient/$contest-proxy", **asked)
    await ask(WANG, "Patient/$contest-proxy", **asked, reason="I am well again")
    with pytest.raises(Problem, match="being decided already"):
        await ask(WANG, "Patient/$contest-proxy", **asked, reason="still")
    with pytest.raises(Problem) as refusal:
        await ask(ZHAO, "Patient/$contest-proxy", **asked, reason="meddling")
    assert refusal.value.status == 403


async def test_a_conflict_ends_nobody_it_is_not_about(county: Trial, ask: Ask) -> None:
    mine = reference(await ask(WANG, "Patient/$grant-proxy", **TO_ZHAO, until="2026-02-01"), "consent")
    await ask(DESK, "Patient/$record-guardian", **PARENT, **OF_ZHAO)
    guardian = PARENT | {"role": "GUARD", "document": "court"}
    conflict = reference(await ask(DESK, "Patient/$record-guardian", **guardian, **OF_SUN), "task")
    await ask(OFFICER, "$privacy-answer", task=conflict, answer="decided", finding="x", end=[mine])
    assert (await read(county, mine))["status"] == "active"


@pytest.mark.parametrize("agent", [DOCTOR, WANG, OFFICER])
async def test_only_a_desk_records_guardians(ask: Ask, agent: Agent) -> None:
    with pytest.raises(Problem) as refusal:
        await ask(agent, "Patient/$record-guardian", **PARENT, **OF_ZHAO)
    assert refusal.value.status == 403

"""The pages, as residents, those who give care, desks and the privacy officer read them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.services.privacy.tests.conftest import Ask
from commonweal.services.privacy.tests.county import (
    DESK,
    DOCTOR,
    NUMBERS,
    OFFICER,
    OTHER,
    SUN,
    WANG,
    ZHAO,
    reference,
)
from commonweal.services.privacy.tests.test_emergencies import ASKED, OPEN
from commonweal.services.privacy.tests.test_proxies import OF_ZHAO, PARENT

Visit = Callable[..., Awaitable[httpx.Response]]
MINE = (
    "/my/looks",
    "/my/consents",
    "/my/consents/give",
    "/my/proxies",
    "/my/proxies/add",
    "/my/proxies/child",
)


@pytest.fixture
async def looked_at(county: Trial, ask: Ask) -> str:
    """A doctor opened the record in an emergency and read it; the reference of that access."""
    task = reference(await ask(DOCTOR, OPEN, **ASKED), "task")
    await county.pass_time(minutes=5)
    async with county.work(agent=DOCTOR) as work:
        await work.read("Patient", "wang")
        await work.search("Observation?subject=Patient/wang")
    return task


async def test_who_has_looked_is_told_by_name_role_and_purpose(visit: Visit, looked_at: str) -> None:
    page = (await visit("/my/looks", agent=WANG)).text
    for told in (
        "陈明",
        "洪湖医院",
        "as doctor or nurse",
        "for care",
        "Observation",
        "Emergency access",
        "昏迷",
    ):
        assert told in page, told
    assert "You</strong>" not in page
    assert "You</strong>" in (await visit("/my/looks?show=mine", agent=WANG)).text
    chinese = (await visit("/my/looks", agent=WANG, language="zh-Hans")).text
    assert "医生或护士" in chinese and "紧急访问" in chinese


async def test_nobody_has_looked(county: Trial, visit: Visit) -> None:
    assert "Nobody else has looked" in (await visit("/my/looks?from=2026-01-06", agent=SUN)).text
    assert (await visit("/my/looks?from=tomorrow&cursor=", agent=SUN)).status_code == 200


async def test_a_day_is_looked_at_alone(visit: Visit, looked_at: str) -> None:
    assert "陈明" in (await visit("/my/looks?from=2026-01-05&to=2026-01-05", agent=WANG)).text
    assert "陈明</strong>" not in (await visit("/my/looks?from=2026-01-06", agent=WANG)).text


async def test_an_access_that_is_not_known_is_looked_into(visit: Visit, looked_at: str) -> None:
    page = (await visit("/my/looks", agent=WANG)).text
    key = page.partition('name="access" value="')[2].partition('"')[0]
    sent = await visit("/my/looks", {"access": key, "reason": "I was not there"}, agent=WANG)
    assert sent.status_code == 303
    again = await visit("/my/looks", {"access": key, "reason": ""}, agent=WANG)
    assert again.status_code == 422 and "finding out about this access already" in again.text
    queue = (await visit("/privacy-queue", agent=OFFICER)).text
    assert "I was not there" in queue and "Objection to an access" in queue
    assert "being looked into" in (await visit("/my/looks", agent=WANG)).text
    none = await visit("/my/looks", {"access": "1-999999", "reason": ""}, agent=WANG)
    assert none.status_code == 422


async def test_looking_is_written_down_too(visit: Visit, looked_at: str) -> None:
    await visit("/my/looks", agent=WANG)
    page = (await visit("/my/looks?show=mine", agent=WANG)).text
    assert "You</strong>" in page


async def test_a_parent_sees_who_looked_at_the_child(county: Trial, visit: Visit, ask: Ask) -> None:
    await ask(DESK, "Patient/$record-guardian", **PARENT, **OF_ZHAO)
    async with county.work() as work:
        await work.read("Patient", "child")
    page = (await visit("/my/looks?of=child", agent=ZHAO)).text
    assert "赵小明" in page and "Somebody who is not in the directory" in page
    assert 'href="/my/looks?of=child" aria-current="page"' in page
    other = (await visit("/my/looks?of=child", agent=SUN)).text
    assert "赵小明" not in other


async def test_consents_are_given_and_withdrawn(visit: Visit, county: Trial) -> None:
    asked = {
        "type": "permit", "who": "organization", "name": "Third Street Clinic", "label": ["PSY", "HIV"],
        "purpose": ["TREAT"], "until": "2026-12-31",
    }  # fmt: skip
    assert (await visit("/my/consents/give", asked, agent=WANG)).status_code == 303
    page = (await visit("/my/consents", agent=WANG)).text
    assert page.count("Third Street Clinic may see") == 2, "each kind has its own"
    consent = page.partition('name="consent" value="')[2].partition('"')[0]
    assert (await visit("/my/consents", {"consent": consent}, agent=WANG)).status_code == 303
    assert (await visit("/my/consents", agent=WANG)).text.count("Third Street Clinic may see") == 1


async def test_a_proxy_is_permitted_a_sensitive_kind(visit: Visit, county: Trial, ask: Ask) -> None:
    asked = {"type": "permit", "who": "proxy", "label": ["PSY"], "until": "2026-12-31"}
    nobody = await visit("/my/consents/give", asked, agent=WANG)
    assert nobody.status_code == 422
    to_zhao = {"patient": "Patient/wang", "identifier": NUMBERS["zhao"], "family": "赵", "given": "安"}
    await ask(WANG, "Patient/$grant-proxy", **to_zhao, until="2026-12-31")
    assert (await visit("/my/consents/give", asked, agent=WANG)).status_code == 303
    assert "赵安 may see: mental health" in (await visit("/my/consents", agent=WANG)).text


async def test_everybody_is_kept_out_of_one_kind(visit: Visit, county: Trial) -> None:
    asked = {"type": "deny", "who": "everybody", "label": ["SEX"], "until": ""}
    assert (await visit("/my/consents/give", asked, agent=WANG)).status_code == 303
    page = (await visit("/my/consents", agent=WANG, language="zh-Hans")).text
    assert "所有人不能查看：性与生殖健康" in page


async def test_of_several_of_one_name_one_is_chosen(visit: Visit, county: Trial) -> None:
    async with county.work() as work:
        for id in ("a", "b"):
            await work.save({"resourceType": "Organization", "id": id, "name": f"Red Cross {id}"})
    asked = {"type": "deny", "who": "organization", "name": "Red Cross", "until": ""}
    answer = await visit("/my/consents/give", asked, agent=WANG)
    assert answer.status_code == 422 and 'value="Organization/b"' in answer.text
    assert (
        await visit("/my/consents/give", asked | {"party": "Organization/b"}, agent=WANG)
    ).status_code == 303
    strange = await visit("/my/consents/give", asked | {"party": "Organization/hospital"}, agent=WANG)
    assert strange.status_code == 422
    nobody = await visit("/my/consents/give", asked | {"name": "Nowhere"}, agent=WANG)
    assert "Nobody of this name is in the directory" in nobody.text


async def test_somebody_is_let_act_and_it_is_ended(visit: Visit, county: Trial) -> None:
    asked = {
        "number": NUMBERS["zhao"],
        "family": "赵",
        "given": "安",
        "until": "2026-12-31",
        "types": ["Appointment"],
    }
    wrong = await visit("/my/proxies/add", asked | {"given": "宁"}, agent=WANG)
    assert wrong.status_code == 422 and "nobody was found by exactly this" in wrong.text
    assert (await visit("/my/proxies/add", asked, agent=WANG)).status_code == 303
    page = (await visit("/my/proxies", agent=WANG)).text
    assert "赵安" in page and "only appointments" in page and "31 Dec 2026" in page
    assert "王秀英" in (await visit("/my/proxies", agent=ZHAO)).text
    consent = page.partition('name="consent" value="')[2].partition('"')[0]
    assert (await visit("/my/proxies", {"consent": consent, "what": "end"}, agent=WANG)).status_code == 303
    assert "Nobody acts for you." in (await visit("/my/proxies", agent=WANG)).text


async def test_a_guardian_is_contested_on_the_page(visit: Visit, county: Trial, ask: Ask) -> None:
    guardian = {
        "role": "GUARD",
        "identifier": NUMBERS["wang"],
        "birthDate": "1988-03-15",
        "document": "court",
    }
    consent = reference(await ask(DESK, "Patient/$record-guardian", **guardian, **OF_ZHAO), "consent")
    sent = {
        "what": "contest",
        "consent": consent.removeprefix("Consent/"),
        "patient": "Patient/wang",
        "reason": "",
    }
    silent = await visit("/my/proxies", sent, agent=WANG)
    assert silent.status_code == 422 and "Say why you dispute it" in silent.text
    assert (await visit("/my/proxies", sent | {"reason": "I am well again"}, agent=WANG)).status_code == 303
    assert "It is disputed who may act for you" in (await visit("/my/proxies", agent=WANG)).text
    case = (
        (await visit("/privacy-queue", agent=OFFICER))
        .text.partition('href="/privacy-queue/')[2]
        .partition('"')[0]
    )
    assert "赵安" in (await visit(f"/privacy-queue/{case}", agent=OFFICER)).text
    answer = {"answer": "decided", "finding": "heard both", "end": [consent]}
    assert (await visit(f"/privacy-queue/{case}", answer, agent=OFFICER)).status_code == 303
    assert "Nobody acts for you." in (await visit("/my/proxies", agent=WANG)).text


async def test_a_record_is_opened_in_an_emergency(visit: Visit, county: Trial) -> None:
    form = {
        "what": "open", "number": NUMBERS["wang"], "born": "1988-03-15", "code": "unconscious",
        "reason": ASKED["reason"],
    }  # fmt: skip
    short = await visit("/emergency-access", form | {"reason": "昏迷"}, agent=DOCTOR)
    assert short.status_code == 422 and "say in words of your own" in short.text
    nobody = await visit("/emergency-access", form | {"born": "1988-03-16"}, agent=DOCTOR, language="zh-Hans")
    assert nobody.status_code == 422 and "未能准确找到唯一的人" in nobody.text
    answer = await visit("/emergency-access", form, agent=DOCTOR)
    assert answer.headers["location"] == "/people/wang"
    page = (await visit("/emergency-access", agent=DOCTOR)).text
    assert "until 5 Jan 2026 10:00 UTC" in page
    task = page.partition('name="task" value="')[2].partition('"')[0]
    assert (await visit("/emergency-access", {"what": "end", "task": task}, agent=DOCTOR)).status_code == 303


async def test_a_desk_lets_somebody_arrive_and_records_a_parent(visit: Visit, county: Trial) -> None:
    arrived = await visit("/arrivals", {"number": NUMBERS["wang"], "born": "1988-03-15"}, agent=DESK)
    assert arrived.headers["location"] == "/people/wang"
    card = {"number": NUMBERS["wang"], "born": "1988-03-15"}
    unknown = await visit("/arrivals", card | {"seen": "李"}, agent=DESK)
    assert unknown.status_code == 422 and '<a href="#seen">' in unknown.text
    assert (await visit("/arrivals", card | {"seen": "李娜"}, agent=DESK)).status_code == 303
    async with county.work(agent=OTHER) as work:
        assert (await work.search("Encounter?patient=Patient/wang")).matches
    form = {
        "role": "PRN", "number": NUMBERS["child"], "born": "2018-05-01", "proxy-number": NUMBERS["zhao"],
        "proxy-born": "1985-07-12", "document": "birth certificate P330000001",
    }  # fmt: skip
    missing = await visit("/guardians", form | {"document": ""}, agent=DESK)
    assert missing.status_code == 422 and '<a href="#document">' in missing.text
    done = await visit("/guardians", form, agent=DESK)
    assert "It is recorded." in (await visit(done.headers["location"], agent=DESK)).text


async def test_the_officer_reviews_with_what_was_seen(visit: Visit, looked_at: str) -> None:
    path = f"/privacy-queue/{looked_at.removeprefix('Task/')}"
    queue = (await visit("/privacy-queue", agent=OFFICER)).text
    assert path in queue and "The person cannot answer" in queue
    case = (await visit(path, agent=OFFICER)).text
    assert "王秀英" in case and "Observation" in case and "陈明" in case
    silent = await visit(path, {"answer": "", "finding": ""}, agent=OFFICER)
    assert silent.status_code == 422
    assert '<a href="#finding">' in silent.text and '<a href="#answer-justified">' in silent.text
    assert (
        await visit(path, {"answer": "not-justified", "finding": "no such visit"}, agent=OFFICER)
    ).status_code == 303
    assert "found not justified" in (await visit("/my/looks", agent=WANG)).text
    assert "no such visit" in (await visit("/my/looks", agent=WANG)).text
    assert "Follow-up of an access" in (await visit("/privacy-queue", agent=OFFICER)).text


async def test_other_tasks_are_not_the_officers(county: Trial, visit: Visit) -> None:
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": {"reference": "Patient/wang"},
    }
    async with county.work() as work:
        stored = await work.save(task)
    assert (await visit(f"/privacy-queue/{stored.id}", agent=OFFICER)).status_code == 404


@pytest.mark.parametrize(
    ("agent", "paths"),
    [
        (DOCTOR, (*MINE, "/arrivals", "/guardians", "/privacy-queue")),
        (WANG, ("/arrivals", "/guardians", "/privacy-queue", "/emergency-access")),
        (DESK, (*MINE, "/privacy-queue", "/emergency-access")),
        (OFFICER, (*MINE, "/arrivals", "/guardians", "/emergency-access")),
        (replace(WANG, id="Practitioner/chen"), MINE),
    ],
)
async def test_whoever_may_not_is_told_so(
    county: Trial, visit: Visit, agent: Agent, paths: tuple[str, ...]
) -> None:
    assert [path for path in paths if (await visit(path, agent=agent)).status_code != 403] == []

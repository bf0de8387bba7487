"""Privacy in a browser, on a county in memory: every page accessible in both languages, and two journeys."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser

from commonweal import web
from commonweal.access.agent import Agent
from commonweal.boot import discovery
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.platform import Draft
from commonweal.platform.status import Status
from commonweal.services.privacy.tests.county import (
    COUNTY,
    DESK,
    DOCTOR,
    NUMBERS,
    OFFICER,
    WANG,
    ZHAO,
    reference,
)
from tests.journeys.conftest import BUILT
from tests.journeys.test_pages import LOOKS, _faults
from tests.journeys.visitor import Visitor

WHO = {"doctor": DOCTOR, "desk": DESK, "officer": OFFICER, "wang": WANG, "zhao": ZHAO}
WHY = "送来时已昏迷不醒，无法询问过敏史和当前用药"
PAGES = {
    "wang": (
        "/my/looks",
        "/my/looks?show=mine",
        "/my/consents",
        "/my/consents/give",
        "/my/proxies",
        "/my/proxies/add",
    ),
    "zhao": ("/my/looks?of=child", "/my/consents/give?type=permit", "/my/proxies", "/my/proxies/child"),
    "doctor": ("/emergency-access",),
    "desk": ("/arrivals", "/guardians", "/register"),
    "officer": ("/privacy-queue", "/privacy-queue/{emergency}", "/privacy-queue/{conflict}"),
}


@dataclass
class County:
    """A trial that listens: its address, and the ids of what waits for the officer."""

    address: str
    waiting: dict[str, str]


@pytest.fixture(scope="module")
def county() -> Iterator[County]:
    """Served from a thread of its own, with all that its pages tell of."""
    if not BUILT.is_file():
        pytest.skip("NOT RUN: the pages are not built (make setup)")
    trial, waiting, ready = Trial(), dict[str, str](), threading.Event()
    folders = {each.name: discovery.folder(each.name) for each in discovery.services()}
    app = web.app(trial.platform, WHO.__getitem__, _no_status, folders=folders)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))

    async def serve() -> None:
        waiting.update(await _fill(trial))
        config = server.config
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        ready.set()
        await server.main_loop()
        await server.shutdown()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(60)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield County(f"http://127.0.0.1:{port}", waiting)
    server.should_exit = True
    thread.join(30)


async def _no_status() -> Status:
    raise Problem.not_supported("a trial tells nothing of itself")


async def _fill(trial: Trial) -> dict[str, str]:
    """An emergency, an objection, a conflict, a proxy, consents."""

    async def ask(agent: Agent, name: str, **values: str) -> dict[str, Any]:
        said = [{"name": key.replace("_", "-"), "valueString": value} for key, value in values.items()]
        async with trial.work(agent=agent) as work:
            return await work.operation(name, {"resourceType": "Parameters", "parameter": said})

    async with trial.work() as work:
        await work.save_all([Draft(each) for each in COUNTY], imported=True)
    wang = {"identifier": NUMBERS["wang"], "birthDate": "1988-03-15"}
    await ask(DESK, "Patient/$arrive", **wang)
    emergency = await ask(DOCTOR, "Patient/$emergency-access", **wang, code="unconscious", reason=WHY)
    await trial.pass_time(minutes=7)
    async with trial.work(agent=DOCTOR) as work:
        await work.read("Patient", "wang")
        await work.search("Observation?subject=Patient/wang")
    child = {
        "identifier": NUMBERS["child"],
        "birthDate": "2018-05-01",
        "document": "birth certificate P330000001",
    }
    for role, id, born in (("PRN", "zhao", "1985-07-12"), ("GUARD", "sun", "1970-01-01")):
        proxy = {"proxy_identifier": NUMBERS[id], "proxy_birthDate": born, "role": role}
        conflict = await ask(DESK, "Patient/$record-guardian", **child, **proxy)
    proxy = {"identifier": NUMBERS["zhao"], "family": "赵", "given": "安", "until": "2026-12-31"}
    await ask(WANG, "Patient/$grant-proxy", patient="Patient/wang", type="Appointment", **proxy)
    party = {"party": "Organization/hospital", "party_name": "洪湖医院", "patient": "Patient/wang"}
    permit = {"type": "permit", "label": "PSY", "purpose": "TREAT", "until": "2026-12-31"}
    await ask(WANG, "Patient/$give-consent", **party, **permit)
    await ask(WANG, "Patient/$give-consent", patient="Patient/wang", type="deny", label="SEX")
    await trial.pass_time(hours=20)
    answers = {"emergency": reference(emergency, "task"), "conflict": reference(conflict, "task")}
    return {name: task.removeprefix("Task/") for name, task in answers.items()}


Make = Callable[..., Visitor]


@pytest.fixture
def visitor(browser: Browser, county: County) -> Iterator[Make]:
    """Makes visitors of this county, whose session is their name."""
    come: list[Visitor] = []

    def make(**context: object) -> Visitor:
        come.append(Visitor(browser, county.address, lambda name: name, **context))
        return come[-1]

    yield make
    complaints = [line for each in come for line in each.complaints]
    for each in come:
        each.leave()
    assert not complaints


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=[f"{a}-{b}" for a, b, _ in LOOKS])
def test_every_page_is_accessible(
    visitor: Make,
    county: County,
    axe: str,
    pictures: Path,
    language: str,
    theme: str,
    size: dict[str, object],
) -> None:
    found: list[str] = []
    for who, paths in PAGES.items():
        me = visitor(**size).given_i_read(language).given_i_like_it(theme).given_i_am_signed_in(who)
        for path in paths:
            name = f"privacy-{who}{path.partition('?')[0].replace('/', '-')}{len(path)}"
            found += _faults(me, axe, name, path.format(**county.waiting))
            me.then_nothing_sticks_out()
            me.page.screenshot(path=pictures / f"{name}-{language}-{theme}.png", full_page=True)
    assert not found, "\n".join(found)


def test_i_ask_about_an_access_and_read_what_was_found(visitor: Make, county: County) -> None:
    me = visitor().given_i_read("zh-Hans").given_i_am_signed_in("wang").when_i_open("/my/looks")
    me.then_i_see("陈明", "紧急访问", WHY)
    doctors = me.page.locator(".entry", has_text="陈明").first
    doctors.locator("summary").click()
    doctors.get_by_role("button", name="请隐私保护专员核查").click()
    me.then_i_see("对访问的异议", "核查中")
    officer = (
        visitor().given_i_am_signed_in("officer").when_i_open(f"/privacy-queue/{county.waiting['emergency']}")
    )
    officer.when_i_choose("It was justified").when_i_write(
        "In words that the person will read", "急诊病历相符"
    )
    officer.when_i_press("Answer").then_the_page_is("Privacy queue")
    me.when_i_open("/my/looks").then_i_see("急诊病历相符")


def test_i_keep_somebody_out_and_take_it_back(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in("zhao").when_i_open("/my/consents").then_i_see("You keep nobody out.")
    me.when_i_follow("Keep somebody out").when_i_choose("A doctor, nurse or other person")
    me.when_i_press("Keep somebody out").then_i_see("There is a problem", "Enter the name")
    me.when_i_write("Their name", "陈明").when_i_press("Keep somebody out").then_i_see("陈明 does not see")
    me.page.get_by_role("button", name="Withdraw").first.click()
    me.then_i_see("You keep nobody out.")

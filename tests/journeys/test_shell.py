"""The shell around a page of a service: permission, forms, faults, and calm pages when something fails."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from commonweal import web
from commonweal.access.agent import OPERATOR, Agent
from commonweal.boot.discovery import RECORD
from commonweal.fhir.outcome import Problem
from commonweal.platform import Page, Permission, Service, Signal, Work
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.platform.status import Status
from commonweal.store.memory import MemoryStore
from commonweal.web import page

KEY = b"the index key of these tests"
RAN: list[str] = []
FIELDS = ("name", "identifier", "born", "phone")


async def record_dose(work: Work, request: Request) -> Response:
    faults = page.Faults()
    if request.method == "POST":
        form = await page.form(request)
        faults.needs(form["name"].strip(), "name", "Enter the batch")
        if not faults:
            RAN.append(form["name"])
            return page.redirect("/doses")
    return page.render(request, "find.html", faults=faults, asked=dict.fromkeys(FIELDS, ""), people=None)


async def fail(work: Work, request: Request) -> Response:
    raise RuntimeError("the reason is for the log alone")


SERVICE = Service(
    "doses",
    "Doses",
    permissions=[
        Permission("dose.record", "Record a dose", (OPERATOR,)),
        Permission("dose.never", "Do what nobody may", ()),
    ],
    pages=[
        Page("/doses", "dose.record", record_dose, "Doses", menu="doses", methods=("GET", "POST")),
        Page("/doses/failing", "dose.record", fail, "Fail"),
        Page("/doses/forbidden", "dose.never", record_dose, "Forbidden"),
    ],
)


async def nobody_hears(signal: Signal) -> None: ...


async def computes(function: Callable[..., object], *arguments: object) -> object:
    return function(*arguments)


def now() -> datetime:
    return datetime(2026, 11, 25, tzinfo=UTC)


async def unavailable() -> Status:
    raise Problem.of("cw-unavailable", why="the database does not answer")


def authenticate(token: str) -> Agent:
    if token != "right":
        raise Problem.unauthenticated("it is not ours")
    return Agent("operator", frozenset({OPERATOR}), name="operator")


@pytest.fixture
def person() -> httpx.AsyncClient:
    """Somebody signed in, in front of pages over a record in memory."""
    catalogue = Catalogue([SERVICE], permissions=RECORD)
    numbers = count(1)
    store = MemoryStore(key=KEY)
    platform = Platform(catalogue, store, now, lambda: f"id-{next(numbers)}", nobody_hears, computes)
    app = web.app(platform, authenticate, unavailable)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", cookies={"commonweal": "right"})


async def form_token(person: httpx.AsyncClient) -> str:
    found = re.search('name="form" value="([0-9a-f]+)"', (await person.get("/doses")).text)
    assert found
    return found[1]


async def test_a_page_of_a_service_is_in_the_menu_and_takes_its_form(person: httpx.AsyncClient) -> None:
    shown = await person.get("/doses")
    assert shown.status_code == 200 and '<a href="/doses" aria-current="page">Doses</a>' in shown.text
    RAN.clear()
    answer = await person.post("/doses", data={"name": "B-17", "form": await form_token(person)})
    assert (answer.status_code, answer.headers["location"], RAN) == (303, "/doses", ["B-17"])
    wrong = await person.post("/doses", data={"name": " ", "form": await form_token(person)})
    assert "There is a problem" in wrong.text and "Enter the batch" in wrong.text and RAN == ["B-17"]


async def test_a_form_without_its_token_never_reaches_the_page(person: httpx.AsyncClient) -> None:
    RAN.clear()
    for data in ({"name": "B-17"}, {"name": "B-17", "form": "00" * 32}, {"name": "B-17", "form": "no hex"}):
        assert (await person.post("/doses", data=data)).status_code == 403
    token = await form_token(person)
    foreign = {"sec-fetch-site": "cross-site"}
    assert (
        await person.post("/doses", data={"name": "x", "form": token}, headers=foreign)
    ).status_code == 403
    assert not RAN


async def test_a_token_is_written_anew_each_time(person: httpx.AsyncClient) -> None:
    assert await form_token(person) != await form_token(person)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/doses/failing", 500, "Something went wrong on our side"),
        ("/doses/forbidden", 403, "You may not see this page"),
        ("/status", 503, "The record is not available at the moment"),
        ("/nowhere", 404, "There is nothing here"),
    ],
)
async def test_what_fails_is_told_calmly(
    person: httpx.AsyncClient, path: str, status: int, said: str
) -> None:
    answer = await person.get(path)
    assert answer.status_code == status and f"<h1>{said}</h1>" in answer.text
    assert "for the log alone" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert (await person.get(path, headers={"accept-language": "zh"})).text.count("<h1>") == 1


async def test_whoever_is_not_signed_in_is_led_to_sign_in_and_back(person: httpx.AsyncClient) -> None:
    person.cookies.set("commonweal", "wrong")
    answer = await person.get("/doses?name=a&name=b")
    assert answer.headers["location"] == "/sign-in?next=%2Fdoses%3Fname%3Da%26name%3Db"
    assert (await person.post("/doses", data={"name": "x"})).headers["location"] == "/sign-in?next=%2F"
    assert "Your session has ended" in (await person.get("/sign-in")).text


async def test_a_choice_of_language_keeps_the_rest_of_the_address(person: httpx.AsyncClient) -> None:
    answer = await person.get("/people/x?show=a&show=b&language=zh-CN")
    assert answer.headers["location"] == "/people/x?show=a&show=b"
    assert "language=zh-Hans" in answer.headers["set-cookie"]
    assert (await person.get("/doses?theme=plaid")).headers["set-cookie"].startswith('theme=""')

"""Journeys through the registry and integration, and the accessibility of their pages in both languages."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.journeys.conftest import Installation
from tests.journeys.test_pages import LOOKS, _faults
from tests.journeys.visitor import Visitor

Make = Callable[..., Visitor]
AREA = {
    "resourceType": "Location",
    "status": "active",
    "type": [{"coding": [{"system": "urn:commonweal:place", "code": "area"}]}],
}


@pytest.fixture(scope="module")
def filled(installation: Installation) -> str:
    """A county with a grid and a household, and a message that waits; the id of its task."""
    headers = {"authorization": f"Bearer {installation.token()}", "content-type": "application/fhir+json"}
    household = {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "code": _code("urn:commonweal:household", "household"),
        "member": [{"entity": {"reference": "Patient/ouyang-xiuying"}}],
        "characteristic": [
            {
                "code": _code("urn:commonweal:household", code),
                "valueReference": {"reference": to},
                "exclude": False,
            }
            for code, to in (("head", "Patient/ouyang-xiuying"), ("place", "Location/third-grid"))
        ],
    }
    said = {
        "place": "people.ndjson:12",
        "reason": "there is no such type",
        "content": '{"resourceType":"Patinet"}',
    }
    parameters = [{"name": name, "valueString": value} for name, value in said.items()]
    with httpx.Client(base_url=f"{installation.address}/fhir/", headers=headers, timeout=120) as machine:
        for place in (
            AREA | {"id": "honghu", "name": "洪湖市 Honghu"},
            AREA | {"id": "third-grid", "name": "第三网格", "partOf": {"reference": "Location/honghu"}},
        ):
            machine.put(f"Location/{place['id']}", json=place).raise_for_status()
        machine.put("Group/ouyangs", json=household | {"id": "ouyangs"}).raise_for_status()
        body = {"resourceType": "Parameters", "parameter": parameters}
        task = machine.post("$quarantine", json=body).raise_for_status().json()
    reference: str = task["parameter"][0]["valueReference"]["reference"]
    return reference.removeprefix("Task/")


def _code(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("language", "theme", "size"), LOOKS, ids=[f"{tag}-{theme}" for tag, theme, _ in LOOKS]
)
def test_every_page_is_accessible(
    visitor: Make, axe: str, pictures: Path, filled: str, language: str, theme: str, size: dict[str, object]
) -> None:
    me = visitor(**size).given_i_read(language).given_i_like_it(theme).given_i_am_signed_in()
    pages = {
        "places": "/places",
        "place": "/places/honghu",
        "grid": "/places/third-grid",
        "add-place": "/places/add?within=honghu",
        "register": "/register",
        "waiting": "/waiting",
        "duty": f"/waiting/{filled}",
    }
    found: list[str] = []
    for name, path in pages.items():
        found += _faults(me, axe, name, path)
        me.then_nothing_sticks_out()
        me.page.screenshot(path=pictures / f"{name}-{language}-{theme}.png", full_page=True)
    assert not found, "\n".join(found)


def test_a_person_is_registered_once(visitor: Make, axe: str, pictures: Path) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/register")
    me.when_i_press("Register the person").then_i_see(
        "There is a problem", "Enter the name", "Choose the sex"
    )
    me.page.screenshot(path=pictures / "register-faults.png", full_page=True)
    _register(me, "330106198803150027")
    me.then_i_see("its check character does not fit its digits")
    me.when_i_write("Number", "330106198803150026").when_i_press("Register the person").then_the_page_is(
        "赵安"
    )
    me.when_i_open("/register")
    _register(me, "330106198803150026")
    me.then_i_see("This number is registered already")


def _register(me: Visitor, number: str) -> None:
    me.when_i_write("Family name", "赵").when_i_write("Given name", "安").when_i_choose("Female")
    me.when_i_write("Birth date", "1988-03-15").when_i_write("Number", number)
    me.when_i_press("Register the person")


def test_what_waits_is_taken_on_and_closed(visitor: Make, filled: str) -> None:
    me = visitor().given_i_read("zh-Hans").given_i_am_signed_in().when_i_open("/waiting")
    me.when_i_follow("there is no such type").when_i_press("接手处理").then_i_see("已接手")
    me.when_i_press("已改正").then_i_see("请填写处理结果")
    me.when_i_write("处理结果", "医院已重新发送").when_i_press("已改正").then_i_see("已办结")

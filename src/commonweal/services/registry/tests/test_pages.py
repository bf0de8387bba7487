"""The pages, as an operator reads them and sends their forms."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from commonweal.access.agent import Agent
from commonweal.access.roles import REGISTRAR
from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.services.registry import actions
from commonweal.services.registry.rules import people

Visit = Callable[..., Awaitable[httpx.Response]]


def desk(organization: str) -> Agent:
    """A registration desk of an organization."""
    roles = frozenset({REGISTRAR})
    return Agent(
        f"Practitioner/{organization}", roles, "HOPERAT", f"Organization/{organization}", name="Desk"
    )


FORM = {
    "family": "王",
    "given": "秀英",
    "gender": "female",
    "born": "1988-03-15",
    "kind": "resident",
    "number": "330106 19880315 0026",
    "country": "",
}


async def _person(trial: Trial, id: str) -> dict[str, Any]:
    async with trial.work() as work:
        return codec.parse((await work.read("Patient", id)).body)


async def test_a_person_is_registered_by_the_form(trial: Trial, visit: Visit) -> None:
    answer = await visit("/register", FORM)
    assert answer.status_code == 303
    person = await _person(trial, answer.headers["location"].removeprefix("/people/"))
    assert person["name"] == [{"family": "王", "given": ["秀英"]}]
    assert person["identifier"] == [{"system": "urn:oid:2.16.156.10011.1.3", "value": "330106198803150026"}]


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"family": "", "given": ""}, "family", "Enter the name"),
        ({"gender": ""}, "gender-female", "Choose the sex"),
        ({"born": "15.3.1988"}, "born", "Enter the birth date"),
        ({"number": "330106198803150027"}, "number", "its check character does not fit its digits"),
        ({"kind": "passport", "number": "E12345678"}, "number", "a passport names its country"),
    ],
)
async def test_what_is_wrong_is_said_at_the_top_with_a_link_to_its_field(
    visit: Visit, wrong: dict[str, str], field: str, sentence: str
) -> None:
    answer = await visit("/register", FORM | wrong)
    assert answer.status_code == 422
    assert f'<a href="#{field}">{sentence}' in answer.text
    assert f'id="{field}"' in answer.text and f'id="{field}-fault"' in answer.text
    assert wrong.get("family", "王") in answer.text


async def test_a_number_of_somebody_in_reach_is_said_without_a_name(visit: Visit) -> None:
    await visit("/register", FORM)
    answer = await visit("/register", FORM | {"family": "李", "given": "安"}, language="zh-Hans")
    assert answer.status_code == 422
    assert "此号码已登记" in answer.text and "秀英" not in answer.text


async def test_a_desk_is_not_told_whom_it_may_not_see(trial: Trial, visit: Visit) -> None:
    """The same sentence whoever has the number, and somebody is asked to compare the two."""
    assert (await visit("/register", FORM, agent=desk("one"))).status_code == 303
    answer = await visit("/register", FORM | {"family": "李", "given": "安"}, agent=desk("other"))
    assert answer.status_code == 422 and "秀英" not in answer.text and "already" not in answer.text
    assert "the match review of the registration desk is told" in answer.text
    await trial.pass_time(minutes=1)
    await trial.pass_time(minutes=1)
    waiting = (await visit("/waiting")).text
    assert waiting.count("two records have one number") == 1
    async with trial.work(agent=desk("other")) as work:
        assert not (await work.search("Patient?birthdate=1988-03-15")).matches


async def test_where_somebody_lives_is_asked_by_name_or_code(trial: Trial, visit: Visit) -> None:
    county = await _added(visit, name="Honghu", kind="area", code="421083")
    assert '<option value="Honghu">' in (await visit("/register")).text
    for said in ("Honghu", "421083"):
        answer = await visit("/register", FORM | {"number": "", "kind": "none", "area": said})
        person = await _person(trial, answer.headers["location"].removeprefix("/people/"))
        assert people.living_in(person) == f"Location/{county}"
        assert "Honghu</a>" in (await visit(f"/record/Patient/{person['id']}")).text
    nowhere = await visit("/register", FORM | {"area": "Atlantis"})
    assert nowhere.status_code == 422 and '<a href="#area">No area of this name' in nowhere.text


async def test_places_are_a_tree_with_what_is_in_them(trial: Trial, visit: Visit) -> None:
    assert "No place is recorded yet" in (await visit("/places")).text
    county = await _added(visit, name="Honghu", kind="area", code="421083")
    grid = await _added(visit, name="Third grid", kind="grid", within=county)
    await visit("/register", FORM)
    async with trial.work() as work:
        head = (await work.search("Patient?family=王")).matches[0].id
        await actions.register_household(work, head, [], grid)
    outermost, inside = (await visit("/places")).text, (await visit(f"/places/{county}")).text
    assert "Honghu" in outermost and "Third grid" not in outermost
    assert "421083" in inside and f'<a href="/places/{grid}">Third grid</a>' in inside
    leaf = (await visit(f"/places/{grid}", language="zh-Hans")).text
    assert "王秀英" in leaf and "户主" in leaf and f'<a href="/places/{county}">Honghu</a>' in leaf


async def _added(visit: Visit, **form: str) -> str:
    answer = await visit("/places/add", {"code": "", "within": "", **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/places/")


async def test_a_place_in_nothing_is_refused_on_the_form(visit: Visit) -> None:
    answer = await visit("/places/add", {"name": "X", "kind": "area", "code": "12", "within": ""})
    assert answer.status_code == 422
    assert "six digits" in answer.text


@pytest.mark.parametrize("path", ["/register", "/places", "/places/add"])
async def test_whoever_may_not_is_told_so(visit: Visit, path: str) -> None:
    assert (await visit(path, role="nobody")).status_code == 403

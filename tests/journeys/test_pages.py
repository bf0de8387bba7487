"""Every page: accessible by axe in both languages and themes, on desktop and phone, and pictured to be looked at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.visitor import DESKTOP, PHONE, Visitor

Make = Callable[..., Visitor]
PAGES = {
    "find": "/",
    "found": "/?name=guilan",
    "nobody": "/?name=zzzz",
    "faults": "/?name=l&born=x",
    "timeline": "/people/ouyang-xiuying",
    "measurements": "/people/ouyang-xiuying/measurements",
    "resource": "/record/Patient/ouyang-xiuying",
    "observation": "/record/Observation/test-0-2339-0",
    "json": "/record/Patient/ouyang-xiuying/json",
    "versions": "/record/Patient/ouyang-xiuying/versions",
    "changes": "/record/Patient/ouyang-xiuying/changes?from=1&to=2",
    "referring": "/record/Encounter/visit-0/referring",
    "choose": "/record",
    "search": "/record/Observation?parameter=code&value=2339-0",
    "services": "/services",
    "status": "/status",
    "deleted": "/record/Observation/weight-79",
    "missing": "/nowhere",
}
LOOKS = [
    ("en", "light", DESKTOP),
    ("en", "dark", PHONE),
    ("zh-Hans", "light", PHONE),
    ("zh-Hans", "dark", DESKTOP),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = "tags => axe.run(document, {runOnly: tags}).then(found => found.violations)"


@pytest.mark.parametrize(
    ("language", "theme", "size"), LOOKS, ids=[f"{tag}-{theme}" for tag, theme, _ in LOOKS]
)
def test_every_page_is_accessible(
    visitor: Make, axe: str, pictures: Path, language: str, theme: str, size: dict[str, object]
) -> None:
    me = visitor(**size).given_i_read(language).given_i_like_it(theme)
    found = _faults(me, axe, "sign-in", "/sign-in")
    me.given_i_am_signed_in()
    for name, path in PAGES.items():
        found += _faults(me, axe, name, path)
        me.then_nothing_sticks_out()
        me.page.screenshot(path=pictures / f"{name}-{language}-{theme}.png")
    assert not found, "\n".join(found)


def _faults(me: Visitor, axe: str, name: str, path: str) -> list[str]:
    return faults_of(me.when_i_open(path), axe, name)


def faults_of(me: Visitor, axe: str, name: str) -> list[str]:
    """What axe has to say of the page that is open, one line for each element."""
    me.page.evaluate(axe)
    return [
        f"{name}: {each['id']}: {node['target']}: {node['failureSummary'].splitlines()[-1].strip()}"
        for each in me.page.evaluate(ASK, RULES)
        for node in each["nodes"]
    ]


def test_a_page_that_is_not_accessible_is_noticed(visitor: Make, axe: str) -> None:
    me = visitor().when_i_open("/sign-in")
    me.page.evaluate("document.querySelector('label').remove()")
    me.page.evaluate(axe)
    assert [each for each in me.page.evaluate(ASK, RULES) if each["id"] == "label"]

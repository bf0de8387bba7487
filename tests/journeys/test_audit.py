"""The auditor's search: who looked, found by person, agent, request, time and outcome; as a table and as a file."""

import csv
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal.boot.trial import Trial
from commonweal.platform.ports import Audited
from tests.journeys.test_pages import ASK, RULES
from tests.journeys.visitor import DESKTOP, PHONE, Visitor

Visit = Callable[..., Awaitable[httpx.Response]]
Make = Callable[..., Visitor]


@pytest.fixture
async def looked(trial: Trial) -> Trial:
    """A patient whom a doctor has opened and somebody was not allowed to search for."""
    async with trial.work() as work:
        stored = await work.save({"resourceType": "Patient", "id": "p"}, because="first visit")
    assert stored.patient is not None
    doctor = Audited(
        "work-1", "Practitioner/doctor", "ETREAT", "read", "Patient", "Patient/p", patients=(stored.patient,),
        because="unconscious", role="clinician", organization="Organization/hospital", client="ward-app",
    )  # fmt: skip
    await trial.store.audit(doctor)
    await trial.store.audit(
        Audited("work-2", "=cmd()", "TREAT", "search", "Observation", "<b>x</b>", outcome=403)
    )
    await trial.store.audit(Audited("work-3", "Device/d", "TREAT", "search", outcome=500))
    return trial


async def test_the_table_says_who_did_what_to_whom_and_why(looked: Trial, visit: Visit) -> None:
    page = (await visit("/audit", role="auditor")).text
    told = (
        "Practitioner/doctor", "Doctor or nurse", "Organization/hospital", "ward-app", "unconscious", "emergency",
        "opened", "refused", "failed", "person=p",
    )  # fmt: skip
    assert not [text for text in told if text not in page]
    assert "&lt;b&gt;x&lt;/b&gt;" in page and "<b>x</b>" not in page
    assert "nothing is sealed yet" in page
    assert "谁的档案" in (await visit("/audit", role="auditor", language="zh-Hans")).text


FOUND = {
    "person=p": {"work-1"},
    "person=Patient/p&did=changed": set(),
    "person=p&did=looked": {"work-1"},
    "agent=Practitioner/doctor": {"work-1"},
    "work=work-2": {"work-2"},
    "outcome=refused": {"work-2"},
    "outcome=failed": {"work-3"},
    "outcome=done&agent=Device/d": set(),
    "since=2026-01-05&until=2026-01-05": {"work-1", "work-2", "work-3"},
    "since=2026-01-06": set(),
    "until=2025": set(),
    "person=nobody": set(),
}


@pytest.mark.parametrize("query", FOUND)
async def test_rows_are_found(looked: Trial, visit: Visit, query: str) -> None:
    answer = await visit(f"/audit/export?format=ndjson&{query}", role="auditor")
    works = {json.loads(line)["work"] for line in answer.text.splitlines()}
    assert {each for each in works if each.startswith("work-")} == FOUND[query]


async def test_a_spreadsheet_is_harmed_by_nothing_in_it(looked: Trial, visit: Visit) -> None:
    answer = await visit("/audit/export?format=csv", role="auditor")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = [*csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))]
    (hostile,) = [row for row in rows if row["work"] == "work-2"]
    assert hostile["agent"] == "'=cmd()"
    (read,) = [row for row in rows if row["work"] == "work-1"]
    assert read["patients"] == "Patient/p" and read["at"].startswith("2026-01-05T")


async def test_pages_follow_each_other(trial: Trial, visit: Visit) -> None:
    for number in range(120):
        await trial.store.audit(Audited(f"row-{number:03}", "Device/d", "TREAT", "search"))
    path, seen = "/audit?agent=Device/d", list[str]()
    while path:
        page = (await visit(path, role="auditor")).text
        seen += [part.partition('"')[0] for part in page.split("work=row-")[1:]]
        path = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == [f"{number:03}" for number in reversed(range(120))]


@pytest.mark.parametrize("query", ["since=x", "until=2026-13", "person=a/b", "person=%00"])
async def test_what_cannot_be_asked_is_told(trial: Trial, visit: Visit, query: str) -> None:
    assert (await visit(f"/audit?{query}", role="auditor")).status_code == 400
    assert (await visit(f"/audit/export?{query}", role="auditor")).status_code == 400


async def test_who_may_ask_and_that_it_is_written_down(looked: Trial, visit: Visit) -> None:
    for role in ("clinician", "resident", "registrar"):
        for path in ("/audit", "/audit/export"):
            assert (await visit(path, role=role)).status_code == 403
    for path in ("/audit?person=p", "/audit/export?person=p"):
        before = len(looked.store.audited)
        await visit(path, role="auditor")
        rows: list[Any] = [row for _, row in looked.store.audited[before:]]
        assert [row.interaction for row in rows] == ["journal"] and "Patient/p" in rows[0].query


@pytest.mark.parametrize(
    ("language", "theme", "size"), [("en", "light", DESKTOP), ("zh-Hans", "dark", PHONE)], ids=["en", "zh"]
)
def test_the_page_is_accessible(
    visitor: Make, axe: str, pictures: Path, language: str, theme: str, size: dict[str, object]
) -> None:
    me = visitor(**size).given_i_read(language).given_i_like_it(theme).given_i_am_signed_in()
    me.when_i_open("/people/ouyang-xiuying").when_i_open("/audit?person=ouyang-xiuying&did=looked")
    me.page.evaluate(axe)
    assert not me.page.evaluate(ASK, RULES)
    me.then_nothing_sticks_out()
    me.page.screenshot(path=pictures / f"audit-{language}-{theme}.png", full_page=True)

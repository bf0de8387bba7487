"""Text, files and names that are meant to become code, paths or bombs"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.attackers.conftest import ROOT, Target
from tests.attackers.test_browsers import raw

FAMILY = ROOT / "docs/tutorial/people.ndjson"
MARK = "zq7"
SCRIPT = f"<script>{MARK}(1)</script>"
HOSTILE = (
    f"{SCRIPT}\"'><img src=x onerror={MARK}(2)>",
    f'\'; drop table record."Patient"; --{MARK}',
    f"{{{{7*7}}}}${{7*7}}{{% raw %}}<%= 7*7 %>{MARK}",
    f"javascript:{MARK}(3)",
    f"\u202e\u0000\ufeff𝕫\ud7ff{MARK}%00%0a%s%n../../../etc/passwd",
    f"{MARK}" + "A" * 6_000,
)
PAGES_AT_MOST = 120


@dataclass
class Form:
    """A form of a page: where it goes, and what it asks for."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """What a page leads to, and what would run in it."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address, self.forms, self.links, self.dangers = address, list[Form](), list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.address, given["href"]))
        if tag == "form":
            action = urljoin(self.address, given.get("action", ""))
            self.forms.append(Form(action, given.get("method", "get").upper()))
        if tag in ("input", "select", "textarea", "button") and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
            if given.get("type", "text") not in ("hidden", "submit", "checkbox", "radio") and tag != "button":
                self.forms[-1].open.add(given["name"])
        runs = [name for name in given if name.startswith("on")]
        runs += [
            n for n in ("href", "src", "action") if given.get(n, "").strip().lower().startswith("javascript:")
        ]
        if runs or (tag == "script" and "src" not in given):
            self.dangers.append(f"{tag} {attributes}")

    handle_startendtag = handle_starttag


def check(answer: httpx.Response) -> Reader:
    """No error of ours, nothing that runs, nothing told of the inside."""
    assert answer.status_code < 500 or answer.status_code == 501, (answer.url, answer.text[:500])
    assert "Traceback" not in answer.text and "asyncpg" not in answer.text
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return Reader("", "")
    assert SCRIPT not in answer.text and "49$49" not in answer.text, answer.url
    page = Reader(str(answer.url), answer.text)
    assert not [each for each in page.dangers if MARK in each], answer.url
    return page


async def filled(target: Target) -> None:
    """A family in the record."""
    async with target.client(target.token()) as machine:
        for line in FAMILY.read_text("utf-8").splitlines():
            resource = json.loads(line)
            answer = await machine.put(f"/fhir/{resource['resourceType']}/{resource['id']}", json=resource)
            assert answer.is_success, answer.text


async def crawled(person: httpx.AsyncClient) -> list[Reader]:
    """Pages that can be reached, one for each shape of address, from the first page and those of the menus."""
    pages, seen, waiting = [], set(), ["http://localhost/", "http://localhost/people/li-guilan"]
    while waiting and len(pages) < PAGES_AT_MOST:
        address = waiting.pop(0)
        parts = urlsplit(address)
        shape = (
            (parts.path.count("/"), *parts.path.split("/")[:3])
            if parts.path.count("/") < 3
            else parts.path[:12]
        )
        if parts.netloc != "localhost" or parts.path.startswith("/static") or shape in seen:
            continue
        seen.add(shape)
        pages.append(check(await person.get(address)))
        waiting += pages[-1].links
    return pages


def attacks(pages: list[Reader], text: str) -> Iterator[tuple[Form, str]]:
    """Each field of each form once."""
    done = set()
    for form in (form for page in pages for form in page.forms):
        for name in form.open | ({"x"} if not form.open else set()):
            place = (urlsplit(form.action).path, name)
            if place not in done and "sign-out" not in form.action:
                done.add(place)
                yield form, name


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "sql", "templates", "scheme", "bytes", "length"])
async def test_code_in_every_field_of_every_page(target: Target, text: str) -> None:
    """Somebody who writes code where a name is asked for (XSS, SQL and template injection) | fills every field of \
    every page with it | it comes back as text, or is refused; nothing runs, nothing breaks"""
    await filled(target)
    session = target.token()
    async with target.client(session=session) as person:
        pages = await crawled(person)
        tried = 0
        for form, name in attacks(pages, text):
            sent = form.fields | {name: text}
            if form.method == "GET":
                check(await person.get(form.action, params=sent))
            else:
                check(await person.post(form.action, data=sent))
            tried += 1
        for page in pages:
            path = urlsplit(page.address).path
            check(await person.get(path, params={"next": text, "q": text, "cursor": text, "from": text}))
        assert len(pages) > 5 and tried > 10, (len(pages), tried)
    async with target.client(target.token()) as machine:
        assert (await machine.get("/fhir/Patient/li-guilan")).status_code == 200


async def test_code_in_a_record(target: Target) -> None:
    """A sender of records (stored XSS) | puts markup, and addresses of the scheme `javascript:`, into every text of \
    a person's record | pages show it as text"""
    texts = {"family": HOSTILE[0], "given": [HOSTILE[0]], "text": HOSTILE[0]}
    patient: dict[str, Any] = {
        "resourceType": "Patient", "id": "hostile", "name": [texts],
        "identifier": [{"system": "http://x.example/<b>", "value": HOSTILE[0]}],
        "telecom": [{"system": "url", "value": f"javascript:{MARK}(4)"}, {"system": "phone", "value": SCRIPT}],
        "address": [{"text": HOSTILE[0], "city": HOSTILE[0]}],
        "photo": [{"url": f"javascript:{MARK}(5)", "title": SCRIPT}],
        "generalPractitioner": [{"reference": "Practitioner/nobody", "display": HOSTILE[0]}],
    }  # fmt: skip
    observation = {
        "resourceType": "Observation", "id": "hostile", "status": "final", "subject": {"reference": "Patient/hostile"},
        "code": {"text": HOSTILE[0]}, "valueString": HOSTILE[0], "effectiveDateTime": "2026-01-01",
        "note": [{"text": f"[a](javascript:{MARK}(6)) {HOSTILE[0]}"}],
    }  # fmt: skip
    async with target.client(target.token()) as machine:
        for each in (patient, observation):
            answer = await machine.put(f"/fhir/{each['resourceType']}/hostile", json=each)
            assert answer.status_code == 201, answer.text
    async with target.client(session=target.token()) as person:
        for path in (
            "/people/hostile", "/people/hostile/measurements", "/?name=script", "/record/Patient",
            "/record/Patient/hostile", "/record/Patient/hostile/json", "/record/Patient/hostile/versions",
            "/record/Observation/hostile", "/record/Patient/hostile/referring", "/record/Observation",
        ):  # fmt: skip
            page = check(await person.get(path))
            assert page.address, path


PATHS = [
    "/static/../../../../etc/passwd", "/static/..%2f..%2f..%2fetc/passwd", "/static/%2e%2e/%2e%2e/settings.py",
    "/static/....//....//etc/passwd", "/static/..\\..\\boot\\settings.py", "/static//etc/passwd",
    "/static/manifest.json/../../app.py", "/static/app.css%00.js", "/fhir/_export/../../secrets/tokens.keys",
    "/fhir/_export/..%2f..%2fsecrets/index.key", "/fhir/Binary/..%2f..%2fsecrets", "/.git/config", "/.env",
    "/secrets/tokens.keys", "/static/manifest.json%2f..%2f..%2f..%2fapp.py",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_in_a_file_name(target: Target, path: str) -> None:
    """Somebody who looks for files (path traversal) | asks for steps up, coded or not, below every folder we serve | \
    400, 401, 303 or 404, and no file"""
    for asked in (path, re.sub("%2[fF]", "/", path).replace("%2e", ".").replace("%00", "\0")):
        status, headers = await raw(target, asked, path.encode())
        assert status in (303, 400, 401, 403, 404), (status, asked)
        assert status != 303 or headers[b"location"].startswith(b"/sign-in")


async def test_a_formula_in_a_table(target: Target) -> None:
    """An agent whose name is a formula (CSV injection) | waits for an auditor's spreadsheet | the cell is text"""
    async with target.client(target.token('=HYPERLINK("https://evil.example")')) as wicked:
        assert (await wicked.get("/fhir/Patient", params={"name": "+cmd|' /C calc'!A0"})).status_code == 403
    async with target.client(session=target.token("auditor")) as auditor:
        answer = await auditor.get("/audit/export?format=csv")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    cells = [cell for row in csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [
        cell
        for cell in cells
        if cell[:1] in ("=", "+", "@", "\t") or (cell.startswith("-") and len(cell) > 1)
    ]


XML = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;&c;"/></Patient>'
)


async def test_xml_with_entities(target: Target) -> None:
    """A sender of XML (entity bombs, external entities) | sends it as a body, and inside a narrative | 415 and 422: \
    no parser of XML is asked"""
    async with target.client(target.token()) as machine:
        for media in ("application/fhir+xml", "text/xml", "application/xml"):
            answer = await machine.post("/fhir/Patient", content=XML, headers={"content-type": media})
            assert answer.status_code == 415, media
        narrative = {"status": "generated", "div": XML.replace("Patient", "div")}
        answer = await machine.post("/fhir/Patient", json={"resourceType": "Patient", "text": narrative})
        assert answer.status_code == 422, answer.text
    assert "root:" not in answer.text


async def test_an_address_of_our_own_network(target: Target) -> None:
    """Somebody who makes the server ask for them (SSRF) | names an address inside our network in a subscription, an \
    attachment or an import | nothing here fetches what a record names"""
    sources = [
        path.relative_to(ROOT / "src/commonweal").as_posix()
        for path in (ROOT / "src/commonweal").rglob("*.py")
        if "tests" not in path.parts
        and re.search(
            r"^(import|from) (httpx|urllib\.request|aiohttp|requests)\b", path.read_text("utf-8"), re.M
        )
    ]
    assert {Path(each).parts[0] for each in sources} <= {"boot", "external"}, sources

"""Finding a person by name in any script, identifier, birth date or phone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from commonweal.access.roles import RESIDENT
from commonweal.fhir import codec
from commonweal.fhir.search.dates import span
from commonweal.fhir.search.query import parse
from commonweal.platform.ports import Page as Found
from commonweal.platform.ports import Stored
from commonweal.platform.work import Work
from commonweal.web import page, site
from commonweal.web.language import gettext as _
from commonweal.web.record import person
from commonweal.web.record.person import Person

PAGE = 20
MOST_OWN = 50
"""People for whom one resident acts."""
FIELDS = ("name", "identifier", "born", "phone")
Pairs = list[tuple[str, str]]


async def find(work: Work, request: Request) -> Response:
    """The form, and below it whom it found; a resident sees their own people instead."""
    if work.agent.has(RESIDENT):
        return await _own(work, request)
    asked = {name: " ".join(request.query_params.get(name, "").split()) for name in FIELDS}
    faults = _faults(asked)
    found, way = Found([]), 0
    is_asked = any(asked.values()) and not faults
    if is_asked:
        found, way = await _found(work, request, asked)
    return page.render(
        request,
        "find.html",
        asked=asked,
        faults=faults,
        people=_people(work, found.matches) if is_asked else None,
        following=page.address("/", **asked, way=way, cursor=found.next) if found.next else "",
    )


async def _own(work: Work, request: Request) -> Response:
    """Those whose records a resident may open: their own, and of whom they act for."""
    found = await work.search(f"Patient?_count={MOST_OWN}")
    return page.render(request, "own/people.html", people=_people(work, found.matches))


async def _found(work: Work, request: Request, asked: dict[str, str]) -> tuple[Found, int]:
    """The first way that finds anybody, and its number; a further page goes on in the way it began."""
    query, registry = request.query_params, site.of(request).platform.catalogue.registry
    cursor, begun = query.get("cursor"), query.get("way", "")
    last = Found([])
    for way, pairs in enumerate(_ways(asked)):
        if cursor is None or begun == str(way):
            last = await work.search(
                replace(parse("Patient", pairs, registry, lenient=False), count=PAGE, cursor=cursor)
            )
        if last.matches:
            return last, way
    return last, 0


async def by_name(work: Work, request: Request, name: str) -> Sequence[Stored]:
    """The first people of that name."""
    found, _way = await _found(work, request, dict.fromkeys(FIELDS, "") | {"name": name})
    return found.matches


def _ways(asked: dict[str, str]) -> Iterable[Pairs]:
    """The searches to try, one after the other, until one finds somebody."""
    rest: Pairs = []
    if asked["identifier"]:
        rest.append(("identifier", escaped(asked["identifier"])))
    if asked["born"]:
        rest.append(("birthdate", asked["born"]))
    if asked["phone"]:
        rest.append(("phone", escaped(asked["phone"])))
    if not asked["name"]:
        return [rest]
    return [[*names, *rest] for names in _named(asked["name"])]


def _named(text: str) -> list[Pairs]:
    """Every word begins a part of the name; Chinese, written without spaces, stands anywhere in one, or is a
    family name with a given name behind it."""
    words = [escaped(word) for word in text.split()]
    if not is_chinese(text):
        return [[("name", word) for word in words]]
    if len(text) == 1:
        return [[("name", words[0])]]
    ways = [[("name:contains" if len(word) > 1 else "name", word) for word in words]]
    if len(words) == 1:
        ways += [[("family", text[:n]), ("given", text[n:])] for n in (1, 2) if len(text) > n]
    return ways


def is_chinese(text: str) -> bool:
    """Any character of a script written without spaces."""
    return any(character >= "\u2e80" for character in text)


def escaped(text: str) -> str:
    """As one value of a search: https://hl7.org/fhir/R4/search.html#escaping."""
    for mark in "\\$,|":
        text = text.replace(mark, "\\" + mark)
    return text


def _faults(asked: dict[str, str]) -> page.Faults:
    faults = page.Faults()
    name = asked["name"]
    if name and not is_chinese(name):
        faults.needs(len(name) > 1, "name", _("Enter at least two letters of the name"))
    if asked["born"]:
        faults.needs(
            _is_date(asked["born"]), "born", _("Enter the birth date as year-month-day, such as 1951-03-08")
        )
    for field in ("identifier", "phone"):
        if asked[field]:
            faults.needs(len(asked[field]) > 2, field, _("Enter at least three characters"))
    return faults


def _is_date(text: str) -> bool:
    try:
        span(text)
    except ValueError:
        return False
    return True


def is_day(text: str) -> bool:
    """Is that a whole birth date?"""
    return len(text) == len("1951-03-08") and _is_date(text)


def _people(work: Work, matches: Sequence[Stored]) -> list[Person]:
    today = work.now().date().isoformat()
    return [person.person(codec.parse(each.body), today) for each in matches]

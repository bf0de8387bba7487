"""A record newest first: what belongs to one day and one encounter stands together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from commonweal.fhir.search import dates
from commonweal.web.record.kinds import chapter_of
from commonweal.web.record.line import Line, line
from commonweal.web.record.values import Json

PAGE = 120
"""Entries of one page."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource with its line and its chapter."""

    resource: Json
    line: Line
    chapter: str

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in the order of the whole record."""
        return self.line.at, self.line.reference

    @property
    def cursor(self) -> str:
        return f"{self.line.at}.{self.line.reference}"


@dataclass(slots=True)
class Shown:
    """An entry in its place; `inner`: a result that stands below its report."""

    line: Line
    chapter: str
    inner: bool = False


@dataclass(slots=True)
class Group:
    """What happened in one encounter on one day; `encounter` is None for what belongs to none."""

    encounter: Entry | None
    entries: list[Entry] = field(default_factory=list)

    def arranged(self) -> list[Shown]:
        """Chapter by chapter; results below the report that gathers them, in its order."""
        reports = [each for each in self.entries if each.line.type == "DiagnosticReport"]
        places = {
            result.get("reference"): (2 * number + 1, place)
            for number, report in enumerate(reports, 1)
            for place, result in enumerate(report.resource.get("result", ()))
        }
        places |= {report.line.reference: (2 * number, 0) for number, report in enumerate(reports, 1)}

        def rank(each: Entry) -> tuple[int, tuple[int, int], str]:
            place = places.get(each.line.reference, (0, 0))
            return _ORDER.get("results" if place[0] else each.chapter, 99), place, each.line.title

        inside = {reference for reference, place in places.items() if place[0] % 2}
        return [
            Shown(_short(each, inside), each.chapter, each.line.reference in inside)
            for each in sorted(self.entries, key=rank)
        ]


def _short(each: Entry, inside: set[Any]) -> Line:
    """A report whose results stand below it says no more than its conclusion."""
    results = [result.get("reference") for result in each.resource.get("result", ())]
    if results and inside.issuperset(results):
        return replace(each.line, detail=str(each.resource.get("conclusion", "")))
    return each.line


@dataclass(slots=True)
class Day:
    """One day of the record, as it was written there; `day` is "" for what has no date."""

    day: str
    groups: list[Group] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a record is looked at; `before` is the cursor of the last entry seen."""

    chapters: frozenset[str]
    text: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page. `counts` by chapter and `years` are of everything that matches the text, not of the page."""

    days: Sequence[Day]
    shown: int
    total: int
    following: str
    counts: Counter[str]
    years: Sequence[tuple[str, int, str]]


def entries(resources: Iterable[Json]) -> list[Entry]:
    """All entries, newest first."""
    found = (Entry(each, line(each), chapter_of(each)) for each in resources)
    return sorted(found, key=lambda each: each.place, reverse=True)


def timeline(all_entries: Sequence[Entry], asked: Asked) -> Timeline:
    """The page that is asked for."""
    words = asked.text.casefold().split()
    matching = [each for each in all_entries if all(word in each.line.text for word in words)]
    chosen = [each for each in matching if each.chapter in asked.chapters]
    place = _place(asked.before)
    ahead = [each for each in chosen if place is None or each.place < place]
    page = ahead[:PAGE]
    encounters = {each.line.reference: each for each in all_entries if each.line.type == "Encounter"}
    return Timeline(
        list(_days(page, encounters)),
        len(page),
        len(chosen),
        page[-1].cursor if len(ahead) > PAGE else "",
        Counter(each.chapter for each in matching),
        _years(chosen),
    )


def _place(cursor: str) -> tuple[int, str] | None:
    """The cursor's place; one that is none leads to the beginning."""
    number, _, reference = cursor.partition(".")
    try:
        return int(number), reference
    except ValueError:
        return None


def _days(page: Sequence[Entry], encounters: dict[str, Entry]) -> Iterator[Day]:
    days: dict[str, Day] = {}
    groups: dict[tuple[str, str], Group] = {}
    for each in page:
        name = each.line.when[:10]
        day = days.setdefault(name, Day(name))
        owner = each.line.reference if each.line.type == "Encounter" else each.line.encounter
        key = (name, owner if owner in encounters else "")
        if key not in groups:
            groups[key] = Group(encounters.get(key[1]))
            day.groups.append(groups[key])
        if each.line.reference != owner:
            groups[key].entries.append(each)
    yield from days.values()


_ORDER = {name: rank for rank, name in enumerate(
    ("problems", "vitals", "results", "medicines", "immunisations", "procedures", "plans", "documents")
)}  # fmt: skip


def _years(chosen: Sequence[Entry]) -> list[tuple[str, int, str]]:
    """Year, how many, and the cursor that begins with its last entry."""
    counts = Counter(each.line.when[:4] for each in chosen if each.line.when)
    return [(year, count, f"{_end(year)}.") for year, count in sorted(counts.items(), reverse=True)]


def _end(year: str) -> int:
    try:
        return dates.span(year)[1] + 1
    except ValueError:
        return dates.AFTER

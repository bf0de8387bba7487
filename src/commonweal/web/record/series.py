"""Measurements over time: what was measured more than once, in one unit, oldest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from commonweal.web import said
from commonweal.web.language import gettext as _
from commonweal.web.record.line import ENDED, start_of, when_of
from commonweal.web.record.measured import BLOOD_PRESSURE, Flag, measured
from commonweal.web.record.values import Json

FIRST = (
    "85354-9", *BLOOD_PRESSURE, "8867-4", "8310-5", "9279-1", "2708-6", "59408-5", "29463-7", "8302-2", "39156-5",
    "4548-4", "2339-0", "2345-7", "38483-4", "2160-0", "33914-3", "2093-3", "18262-6", "2085-9", "2571-8",
)  # fmt: skip
"""LOINC codes in the order a clinician looks for them: vital signs, weight, sugar, kidneys, lipids."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value."""

    at: int
    when: str
    number: Decimal
    text: str
    range: str
    flag: Flag | None
    reference: str


@dataclass(frozen=True, slots=True)
class Series:
    """All values of one measurement; `key` names it in an address."""

    key: str
    name: str
    unit: str
    points: tuple[Point, ...]

    @property
    def latest(self) -> Point:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of a measurement, or of the two of a blood pressure together."""

    name: str
    key: str
    text: str
    point: Point
    points: tuple[Point, ...]


def latest(found: Sequence[Series], most: int) -> list[Latest]:
    """The newest value of the first ones."""
    made = [Latest(each.name, each.key, each.latest.text, each.latest, each.points) for each in found]
    pressures = [each for each in made if _code(each.key) in BLOOD_PRESSURE]
    if len(pressures) == 2 and pressures[0].point.reference == pressures[1].point.reference:
        high, low = pressures
        text = f"{said.short(high.point.number)}/{low.text}"
        made = [replace(high, name=_("Blood pressure"), text=text), *(e for e in made if e not in pressures)]
    return made[:most]


def series(resources: Iterable[Json]) -> list[Series]:
    """Every numeric measurement; the usual ones first, then by how often."""
    found: dict[tuple[str, str], list[Point]] = {}
    called: dict[tuple[str, str], str] = {}
    for resource in (r for r in resources if r["resourceType"] == "Observation"):
        when, reference = when_of(resource), f"Observation/{resource.get('id', '')}"
        if not when or resource.get("status") in ENDED:
            continue
        for each in measured(resource):
            if each.number is not None:
                key = (each.code, each.unit)
                called[key] = each.name
                found.setdefault(key, []).append(
                    Point(start_of(when), when, each.number, each.text, each.range, each.flag, reference)
                )
    made = [
        Series("~".join(key), called[key], key[1], tuple(sorted(points, key=lambda p: (p.at, p.reference))))
        for key, points in found.items()
    ]
    return sorted(made, key=_rank)


def _rank(each: Series) -> tuple[int, int, str]:
    code = _code(each.key)
    return (FIRST.index(code) if code in FIRST else len(FIRST), -len(each.points), each.name)


def _code(key: str) -> str:
    return key.partition("~")[0].rpartition("|")[2]

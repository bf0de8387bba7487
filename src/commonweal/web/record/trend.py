"""A small chart drawn by the server; always beside a table, which says the same in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from commonweal.web import said
from commonweal.web.record.series import Point


@dataclass(frozen=True, slots=True)
class Dot:
    """One value in the picture."""

    x: float
    y: float
    flagged: bool
    label: str


@dataclass(frozen=True, slots=True)
class Trend:
    """What a template needs to draw: the line, its dots, and where the numbers beside it stand."""

    width: int
    height: int
    path: str
    dots: tuple[Dot, ...]
    levels: tuple[tuple[float, str], ...]
    first: str
    last: str


def trend(
    points: Sequence[Point], width: int = 640, height: int = 180, edge: int = 14, left: int = 0
) -> Trend:
    """The values of one series; a single one is a dot. `left` keeps room for the numbers of the levels."""
    numbers = [float(each.number) for each in points]
    low, high = min(numbers), max(numbers)
    span, time = (high - low) or 1.0, (points[-1].at - points[0].at) or 1
    begin = left + edge

    def x(at: int) -> float:
        share = (at - points[0].at) / time if len(points) > 1 else 0.5
        return round(begin + share * (width - begin - edge), 1)

    def y(number: float) -> float:
        share = (number - low) / span if high > low else 0.5
        return round(height - edge - share * (height - 2 * edge), 1)

    dots = tuple(
        Dot(x(p.at), y(n), bool(p.flag and p.flag.level != "normal"), f"{said.moment(p.when)}: {p.text}")
        for p, n in zip(points, numbers, strict=True)
    )
    path = "M" + " L".join(f"{dot.x} {dot.y}" for dot in dots)
    ends = dict.fromkeys((max(p.number for p in points), min(p.number for p in points)))
    levels = tuple((y(float(number)), said.short(number)) for number in ends)
    return Trend(width, height, path, dots, levels, said.day(points[0].when), said.day(points[-1].when))


def spark(points: Sequence[Point]) -> Trend:
    """The last values, as small as a word."""
    return trend(points[-12:], 96, 28, 4)

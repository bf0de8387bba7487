"""Date, DateTime and Time with partial precision, https://hl7.org/fhirpath/N1/#date."""

import re
from abc import ABC, abstractmethod
from calendar import monthrange
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Self

PATTERN = re.compile(
    r"(?:(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?)?"
    r"(?P<T>T)?"
    r"(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d+)?))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
WIDEST_ZONE = timedelta(hours=14)
LONGEST = 64


class Temporal(ABC):
    """A point in time known to some precision: `parts` are year … second or hour … second, as many as are
    known.

    `text` is how it was written; `offset` the minutes east of Greenwich, None when no zone was written."""

    __slots__ = ("offset", "parts", "text")
    first: ClassVar[int] = 0  # index of the first part among year, month, day, hour, minute, second

    def __init__(self, text: str, parts: tuple[Decimal | int, ...], offset: int | None = None) -> None:
        self.text = text
        self.parts = parts
        self.offset = offset

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Self | None:
        """What the text says, or None if it does not say it in this type's form."""

    def universal(self) -> tuple[Decimal | int, ...]:
        """The parts in UTC when a zone is known, else as written."""
        if not self.offset:
            return self.parts
        shifted = moved(self.parts, timedelta(minutes=-self.offset))
        return self.parts if shifted is None else shifted


class Date(Temporal):
    """System.Date: year, month or day."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = read(text)
        if match is None or not match["year"] or match["T"] or match["hour"] or match["zone"]:
            return None
        return cls(text, known(match, 0))


class DateTime(Temporal):
    """System.DateTime: a date and as much of a time of day as is known, with or without a zone."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = read(text)
        if match is None or not match["year"] or bool(match["hour"]) > bool(match["T"] and match["day"]):
            return None
        if match["zone"] and not match["hour"]:
            return None
        return cls(text, known(match, 0), zone(match["zone"]))


class Time(Temporal):
    """System.Time: a time of day, without date or zone."""

    __slots__ = ()
    first = 3

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = read(text)
        if match is None or match["year"] or not match["hour"] or match["zone"]:
            return None
        return cls(text.removeprefix("T"), known(match, 3))


def temporal(text: str) -> Temporal | None:
    """What the literal `@text` means."""
    if text.startswith("T"):
        return Time.parse(text)
    return DateTime.parse(text) if "T" in text else Date.parse(text)


def read(text: str) -> re.Match[str] | None:
    """The parts of a date or time that exists in the calendar; a leap second is 59 in `known`."""
    match = PATTERN.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    month, day = int(match["month"] or 1), int(match["day"] or 1)
    if match["year"] and not (int(match["year"]) and 1 <= month <= 12):
        return None
    if match["year"] and not 1 <= day <= monthrange(int(match["year"]), month)[1]:
        return None
    if int(match["hour"] or 0) > 23 or int(match["minute"] or 0) > 59 or Decimal(match["second"] or 0) >= 61:
        return None
    return match if abs(zone(match["zone"]) or 0) <= 14 * 60 else None


def known(match: re.Match[str], first: int) -> tuple[Decimal | int, ...]:
    names = ("year", "month", "day", "hour", "minute")[first:]
    parts: list[Decimal | int] = [int(match[name]) for name in names if match[name]]
    if match["second"]:
        parts.append(
            min(Decimal(match["second"]), Decimal(59))
            if match["second"] >= "60"
            else Decimal(match["second"])
        )
    return tuple(parts)


def zone(text: str | None) -> int | None:
    """Minutes east of Greenwich."""
    if not text:
        return None
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes


def lowest(parts: tuple[Decimal | int, ...]) -> datetime:
    """The first moment that the parts (year, month …) allow."""
    year, month, day, hour, minute = (int(part) for part in (*parts, *(1, 1, 1, 0, 0)[len(parts) :])[:5])
    start = datetime(year, month, day, hour, minute)
    return start + timedelta(microseconds=int(parts[5] * 1_000_000)) if len(parts) > 5 else start


def moved(parts: tuple[Decimal | int, ...], by: timedelta) -> tuple[Decimal | int, ...] | None:
    """The parts a fixed time later, to the same precision; None outside the years 1 to 9999."""
    try:
        there = lowest(parts) + by
    except OverflowError:
        return None
    second = Decimal(there.second) + Decimal(there.microsecond) / 1_000_000
    return (there.year, there.month, there.day, there.hour, there.minute, second)[: len(parts)]


def order(a: Temporal, b: Temporal) -> int | None:
    """Negative, zero or positive as `a` is before, at or after `b`; None when their precision leaves it
    open."""
    if (a.offset is None) != (b.offset is None) and len(a.parts) > 3 and len(b.parts) > 3:
        return distant(a, b)
    left, right = a.universal(), b.universal()
    for mine, other in zip(left, right, strict=False):
        if mine != other:
            return -1 if mine < other else 1
    return 0 if len(left) == len(right) else None


def distant(a: Temporal, b: Temporal) -> int | None:
    """The order of two where only one has a zone: decided when no zone on earth could change it."""
    here, there = lowest(a.universal()), lowest(b.universal())
    if abs(here - there) <= WIDEST_ZONE + timedelta(hours=1):
        return None
    return -1 if here < there else 1


def span(kind: type[Temporal], parts: tuple[Decimal | int, ...], offset: int | None) -> Temporal:
    """A temporal value from its parts, written as the specification writes it."""
    date = "-".join(
        f"{part:0{width}d}" for part, width in zip(parts[: 3 - kind.first], (4, 2, 2), strict=False)
    )
    clock = parts[3 - kind.first :]
    time = ":".join(two(part) for part in clock)
    text = f"{date}T{time}" if date and time else date or time
    if offset is not None and time:
        text += written_zone(offset)
    return kind(text, parts, offset)


def two(part: Decimal | int) -> str:
    whole = int(part)
    if part == whole:
        return f"{whole:02d}"
    thousandths = int(part * 1000) % 1000
    return f"{whole:02d}.{thousandths:03d}"


def written_zone(offset: int) -> str:
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def moment(now: datetime) -> tuple[tuple[Decimal | int, ...], int | None]:
    """The parts and zone of an instant, to the millisecond."""
    second = Decimal(now.second) + Decimal(now.microsecond // 1000) / 1000
    offset = now.utcoffset()
    minutes = None if offset is None else int(offset.total_seconds() // 60)
    return (now.year, now.month, now.day, now.hour, now.minute, second), minutes

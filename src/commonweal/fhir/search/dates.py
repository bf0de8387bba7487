"""Dates as ranges of microseconds, by their precision: https://hl7.org/fhir/R4/search.html#date.

Both ends are inclusive: a day ends with its last microsecond. What has no zone is read in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from commonweal.fhir.outcome import Problem

BEFORE = -(1 << 62)
AFTER = 1 << 62
"""Open ends of periods: before and after every time that can be written; exact as floats too."""

DAY = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=1 << 15)
def span(text: str) -> tuple[int, int]:
    """(lo, hi) of a date, dateTime or instant: "2020" is its whole year. ValueError when it is none."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(
            f"{text!r} is not a date of the form 2020, 2020-03, 2020-03-05 or 2020-03-05T10:00:00Z"
        )
    year, month, day, hour, _, second, fraction, zone = form.groups()
    if hour is not None:
        return _moment(text, second, fraction, zone)
    lo = date(int(year), int(month or 1), int(day or 1)).toordinal()
    hi = lo + 1 if day else _next_month(int(year), int(month or 12))
    return (lo - _EPOCH_DAY) * DAY, (hi - _EPOCH_DAY) * DAY - 1


def _next_month(year: int, month: int) -> int:
    """The ordinal of the first day after a month, for the last month there is too."""
    return date(year, month, 1).toordinal() + 31 if month == 12 else date(year, month + 1, 1).toordinal()


def _moment(text: str, second: str | None, fraction: str | None, zone: str | None) -> tuple[int, int]:
    leap = second == "60"
    if leap:
        text = text[:17] + "59" + text[19:]
    at = datetime.fromisoformat(text if zone else text + "Z")
    lo = (at - _EPOCH) // _MICROSECOND + (1_000_000 if leap else 0)
    return lo, lo + _width(second, fraction) - 1


def _width(second: str | None, fraction: str | None) -> int:
    """Microseconds that a time of this precision lasts."""
    if second is None:
        return 60_000_000
    return int(10 ** max(0, 6 - len(fraction))) if fraction else 1_000_000


def period(text: str) -> tuple[int, int]:
    """Like `span`, for what came in a request: Problem 400 when it is no date."""
    try:
        return span(text)
    except ValueError as error:
        raise Problem.invalid(str(error)) from error


def between(start: str | None, end: str | None) -> tuple[int, int]:
    """From the beginning of `start` to the end of `end`; what is not stated is open."""
    return (span(start)[0] if start else BEFORE), (span(end)[1] if end else AFTER)


def approximate(lo: int, hi: int) -> tuple[int, int]:
    """The prefix ap: as long again on either side, so ap2020 is 2019 to 2021 and ap2020-03-05 the 4th to 6th.

    The specification proposes a tenth of the distance from now, which would make one question have other
    answers tomorrow, and on the next page.
    """
    width = hi - lo + 1
    return lo - width, hi + width

"""Dates as ranges of microseconds, by their precision: https://hl7.org/fhir/R4/search.html#date.

Both ends are inclusive: a day ends with its last microsecond. What has no zone is read in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from commonweal.fhir.outcome import Problem

BEFORE = -(1 << 62)
AFTER = 1 << 62
"""Open ends of periods: before and after every time that can be written; exact as floats too."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


@lru_cache(maxsize=1 << 15)
def span(text: str) -> tuple[int, int]:
    """(lo, hi) of a date, dateTime or instant: "2020" is its whole year. ValueError when it is none."""
    if _MOMENT.fullmatch(text):
        return _moment(text)
    form = _DAYS.fullmatch(text)
    if form is None:
        raise ValueError(
            f"{text!r} is not a date of the form 2020, 2020-03, 2020-03-05 or 2020-03-05T10:00:00Z"
        )
    year, month, day = form.groups()
    lo = date(int(year), int(month or 1), int(day or 1)).toordinal()
    hi = lo + 1 if day else _next_month(int(year), int(month or 12))
    return (lo - _EPOCH_DAY) * DAY, (hi - _EPOCH_DAY) * DAY - 1


def _next_month(year: int, month: int) -> int:
    """The ordinal of the first day after a month, for the last month there is too."""
    return date(year, month, 1).toordinal() + 31 if month == 12 else date(year, month + 1, 1).toordinal()


def _moment(text: str) -> tuple[int, int]:
    leap = text[17:19] == "60"
    if leap:
        text = f"{text[:17]}59{text[19:]}"
    at = datetime.fromisoformat(text)
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH
    lo = (since.days * 86_400 + since.seconds + leap) * SECOND + since.microseconds
    return lo, lo + _width(text) - 1


def _width(text: str) -> int:
    """Microseconds that a time of this precision lasts."""
    if text[16:17] != ":":
        return 60 * SECOND
    if text[19:20] != ".":
        return SECOND
    end = -1 if text[-1] == "Z" else -6 if text[-6] in "+-" else len(text)
    return int(10 ** max(0, 6 - len(text[20:end])))


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

"""Dates, times, numbers and ages as a person reads them, in the language spoken now."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from babel.dates import format_date, format_datetime, format_skeleton, format_time

from commonweal.web.language import current, ngettext
from commonweal.web.language import gettext as _

PARTS = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d:\d\d))?")
BYTES = ("B", "kB", "MB", "GB", "TB")


def day(text: str) -> str:
    """A FHIR date or dateTime as its day, month or year, by its own precision and in the zone it was written
    with: "2018-10-15T13:03:49Z" is 15 Oct 2018. What is no date is returned as it is."""
    parts = PARTS.match(text)
    if parts is None:
        return text
    year, month, dom, _time = parts.groups()
    try:
        when = date(int(year), int(month or 1), int(dom or 1))
    except ValueError:
        return text
    if dom:
        return str(format_date(when, "medium", current().locale))
    return str(format_skeleton("yMMM", when, locale=current().locale)) if month else year


def weekday(text: str) -> str:
    """The day of the week of a whole date; "" of a month or year."""
    parts = PARTS.match(text)
    if parts is None or not parts[3]:
        return ""
    return str(format_date(date.fromisoformat(parts[0][:10]), "EEEE", current().locale))


def time(text: str) -> str:
    """The time of day in the zone it was written with; "" where there is none."""
    parts = PARTS.match(text)
    return parts[4] or "" if parts else ""


def moment(text: str) -> str:
    """Day and time of a dateTime."""
    return " ".join(filter(None, (day(text), time(text))))


def instant(microseconds: int | None) -> str:
    """A moment of our own clock, in UTC and saying so."""
    if microseconds is None:
        return _("not yet")
    when = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
    text = (
        f"{format_date(when.date(), 'medium', current().locale)} {format_time(when, 'HH:mm:ss', locale='en')}"
    )
    return f"{text} UTC"


def iso(microseconds: int) -> str:
    """For the datetime attribute of `time`."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat()


def today(now: datetime) -> str:
    """The moment a page was made."""
    return str(format_datetime(now, "medium", locale=current().locale))


def number(value: Decimal | int | float | str) -> str:
    """A number with the decimals it was written with, at most six; both our languages group alike."""
    return f"{_rounded(Decimal(str(value)), 6):,f}"


def short(value: Decimal | int | float) -> str:
    """A measured value, no longer than it is useful to read: at most two decimals, or three figures of a
    small one, so that nothing but zero looks like zero."""
    return f"{_rounded(Decimal(str(value)), 2):,f}"


def _rounded(exact: Decimal, decimals: int) -> Decimal:
    """Fewer decimals when there are more than so many; never fewer than three figures."""
    exponent = exact.as_tuple().exponent
    kept = max(decimals, 2 - exact.adjusted())
    if not isinstance(exponent, int) or -exponent <= kept:
        return exact
    return round(exact, kept).normalize()


def size(octets: int) -> str:
    """4.2 MB."""
    amount, unit = float(octets), 0
    while amount >= 1000 and unit < len(BYTES) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{number(round(amount, 1) if unit else octets)} {BYTES[unit]}"


def age(birth: str, on: str) -> str:
    """Age on a day, as said of people: days of a newborn, weeks, months, then years. "" when it is not known."""
    try:
        born, then = date.fromisoformat(birth[:10]), date.fromisoformat(on[:10])
    except ValueError:
        return _years(birth, on)
    days = (then - born).days
    if days < 0:
        return ""
    months = (then.year - born.year) * 12 + then.month - born.month - (then.day < born.day)
    if days < 28:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if months < 3:
        return ngettext("%(n)d week", "%(n)d weeks", days // 7) % {"n": days // 7}
    if months < 24:
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    return ngettext("%(n)d year", "%(n)d years", months // 12) % {"n": months // 12}


def _years(birth: str, on: str) -> str:
    """Of a birth date that is only a year or a month."""
    if not (birth[:4].isdigit() and on[:4].isdigit()):
        return ""
    return _("about %(n)d years") % {"n": int(on[:4]) - int(birth[:4])}

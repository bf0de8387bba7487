"""The auditor's search: who looked at or changed whose record, when, as whom and why; and how the seal stands."""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from commonweal.access.roles import ROLES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID
from commonweal.fhir.search.dates import span
from commonweal.platform.journal import OUTCOMES, Asked, Entry
from commonweal.platform.work import Work
from commonweal.web import page, site
from commonweal.web.language import gettext as _

PAGE = 50
AT_ONCE, MOST = 1000, 10_000
"""Rows that an export asks for at a time, and altogether."""
FIELDS = ("person", "agent", "work", "since", "until", "did", "outcome")
LOOKED = ("read", "vread", "read-all", "search", "count", "history", "journal")
CHANGED = ("create", "update", "patch", "delete", "transaction", "batch")
COLUMNS = (
    "at", "agent", "role", "organization", "client", "purpose", "because", "interaction", "type", "query",
    "entities", "patients", "outcome", "work", "session", "address", "key",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is read: in words, where there are words for it."""

    entry: Entry
    who: str
    whose: tuple[str, ...]
    acting: str
    did: str
    why: str
    what: str
    result: str
    level: str
    mark: str


async def search(work: Work, request: Request) -> Response:
    """The form and, below it, the rows; without any condition, the newest of all."""
    form = {name: request.query_params.get(name, "").strip()[:200] for name in FIELDS}
    faults = page.Faults()
    asked = _asked(form, faults)
    found: Sequence[Entry] = ()
    if not faults:
        cursor = request.query_params.get("cursor") or None
        found = await work.journal(replace(asked, limit=PAGE, cursor=cursor))
    journal = site.of(request).platform.journal
    return page.render(
        request,
        "audit.html",
        400 if faults else 200,
        form=form,
        faults=faults,
        rows=[_row(each) for each in found],
        chain=await journal.chain() if journal is not None else None,
        following=page.address("/audit", **form, cursor=found[-1].cursor) if len(found) == PAGE else "",
        exports=[(kind, page.address("/audit/export", **form, format=kind)) for kind in ("csv", "ndjson")],
    )


async def export(work: Work, request: Request) -> Response:
    """The same rows as a file, at most so many; this reading is audited like any other."""
    form = {name: request.query_params.get(name, "").strip()[:200] for name in FIELDS}
    faults = page.Faults()
    asked = _asked(form, faults)
    kind = request.query_params.get("format", "csv")
    faults.needs(kind in WRITERS, "format", _("Choose CSV or NDJSON"))
    if faults:
        raise Problem.invalid("; ".join(faults.values()))
    media, write = WRITERS[kind]
    body = write([each async for each in _all(work, asked)])
    name = f"audit-{work.now():%Y%m%dT%H%M%SZ}.{kind}"
    return Response(body, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'})


async def _all(work: Work, asked: Asked) -> AsyncIterator[Entry]:
    cursor: str | None = None
    for _page in range(MOST // AT_ONCE):
        found = await work.journal(replace(asked, limit=AT_ONCE, cursor=cursor))
        for each in found:
            yield each
        if len(found) < AT_ONCE:
            return
        cursor = found[-1].cursor


def _asked(form: dict[str, str], faults: page.Faults) -> Asked:
    person = form["person"].removeprefix("Patient/")
    faults.needs(not person or ID.fullmatch(person), "person", _("Enter the id of one person's record"))
    since, until = _span(form["since"], "since", faults), _span(form["until"], "until", faults)
    kinds = {"looked": LOOKED, "changed": CHANGED}
    outcome = next((each for each in OUTCOMES if each == form["outcome"]), None)
    asked = Asked(
        patient=f"Patient/{person}" if person else None,
        agent=form["agent"] or None,
        work=form["work"] or None,
        interactions=kinds.get(form["did"], ()),
        outcome=outcome,
    )
    if since:
        asked = replace(asked, since=since[0])
    return replace(asked, until=until[1] + 1) if until else asked


def _span(text: str, field: str, faults: page.Faults) -> tuple[int, int] | None:
    """First and last microsecond of a day or moment, in UTC as the rows are told."""
    if not text:
        return None
    try:
        return span(text)
    except (ValueError, OverflowError):
        faults.needs(False, field, _("Enter the date as year-month-day, such as 2026-03-08"))
        return None


def _row(entry: Entry) -> Row:
    result, level, mark = _result(entry.outcome)
    told = [entry.because, purposes().get(entry.purpose, entry.purpose)]
    roles = [_(ROLES[each].title) if each in ROLES else each for each in entry.role.split()]
    return Row(
        entry,
        who=entry.agent,
        whose=tuple(each.partition("/")[2] for each in entry.patients),
        acting=" · ".join(filter(None, (*roles, entry.organization, entry.client))),
        did=did().get(entry.interaction, entry.interaction),
        why=" · ".join(filter(None, told)),
        what=entry.query or entry.type,
        result=result,
        level=level,
        mark=mark,
    )


def _result(outcome: int) -> tuple[str, str, str]:
    if outcome < 400:
        return _("done"), "normal", "✓"
    if outcome == 404:
        return _("not found"), "low", "–"
    return (_("refused"), "abnormal", "!") if outcome < 500 else (_("failed"), "critical", "‼")


def did() -> dict[str, str]:
    """What was done, in a word."""
    return {
        "read": _("opened"),
        "vread": _("opened an old version"),
        "read-all": _("opened several"),
        "search": _("searched"),
        "count": _("counted"),
        "history": _("looked at versions"),
        "journal": _("asked the audit"),
        "create": _("created"),
        "update": _("changed"),
        "patch": _("changed"),
        "delete": _("deleted"),
        "transaction": _("wrote several"),
        "batch": _("did several things"),
        "sign-in": _("signed in"),
        "sign-out": _("signed out"),
    }


def purposes() -> dict[str, str]:
    """Purposes of use as people say them: https://terminology.hl7.org/CodeSystem-v3-ActReason.html."""
    return {
        "TREAT": _("treatment"),
        "ETREAT": _("emergency treatment"),
        "BTG": _("emergency access"),
        "PATRQT": _("asked by the person"),
        "PUBHLTH": _("public health"),
        "HOPERAT": _("running the health services"),
        "HPAYMT": _("payment"),
        "HRESCH": _("research"),
        "HCOMPL": _("supervision"),
        "HSYSADMIN": _("running the installation"),
    }


def _ndjson(entries: Sequence[Entry]) -> bytes:
    told = ({name: value for name, value in asdict(each).items() if name in COLUMNS} for each in entries)
    return b"".join(msgspec.json.encode(each) + b"\n" for each in told)


def _csv(entries: Sequence[Entry]) -> bytes:
    """With the mark by which spreadsheets know UTF-8; nothing in it begins like a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([*_cells(each)] for each in entries)
    return text.getvalue().encode("utf-8-sig", "replace")


def _cells(entry: Entry) -> Iterator[str]:
    for name in COLUMNS:
        value = getattr(entry, name)
        if name == "at":
            value = datetime.fromtimestamp(value / 1_000_000, UTC).isoformat()
        cell = " ".join(value) if isinstance(value, tuple) else str(value)
        yield f"'{cell}" if cell.startswith(FORMULA) else cell


WRITERS = {"csv": ("text/csv", _csv), "ndjson": ("application/x-ndjson", _ndjson)}

"""Who has looked at my record, and why."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commonweal.platform import Work
from commonweal.platform.journal import FOREVER, Asked
from commonweal.services.privacy import queries
from commonweal.services.privacy.pages import words
from commonweal.services.privacy.rules import looks
from commonweal.services.privacy.rules.looks import Look
from commonweal.web import page
from commonweal.web.page import _

Json = dict[str, Any]
SHOWN = 400
"""Entries of the journal that one page tells of."""


async def who_has_looked(work: Work, request: Request) -> Response:
    """Day by day who saw or changed what, as whom and why; a form says which of it is not known."""
    patient, wards = await words.subject(work, request)
    faults = page.Faults()
    if request.method == "POST":
        form = await page.form(request)
        done = await words.tried(faults, "", lambda: _object(work, patient, form))
        if done is not None:
            return page.redirect(page.address("/my/looks", of=_of(request)) + "#asked")
    asked, form_of = _asked(request, patient)
    entries = (
        await work.journal(asked) if not faults else await work.journal(Asked(patient=patient, limit=SHOWN))
    )
    tasks = words.told(await words.ask(work, "Patient/$privacy-cases", patient=patient), "task")
    mine, itself = "mine" in form_of["show"], "itself" in form_of["show"]
    wanted = [each for each in entries if looks.is_wanted(each, work.agent.id, mine, itself)]
    emergencies = [each for each in tasks if words.task(each)["kind"] == "emergency-access"]
    told = looks.days(wanted, emergencies)
    names = await _names(work, told, wards)
    return page.render(
        request,
        "privacy/looks.html",
        422 if faults else 200,
        faults=faults,
        days=[(day.day, [_row(each, names, work.agent.id) for each in day.looks]) for day in told],
        tasks=[words.task(each) for each in tasks],
        wards=wards,
        patient=patient,
        of=_of(request),
        asked=form_of,
        following=entries[-1].cursor if len(entries) == SHOWN else "",
    )


def _of(request: Request) -> str:
    return request.query_params.get("of", "")


async def _object(work: Work, patient: str, form: page.Form) -> Json:
    return await words.ask(
        work,
        "Patient/$object-to-access",
        patient=patient,
        access=form["access"],
        reason=form["reason"].strip(),
    )


def _asked(request: Request, patient: str) -> tuple[Asked, Json]:
    """What the filter asks of the journal; a date that is none asks nothing."""
    query = request.query_params
    since, until = _day(query.get("from", "")), _day(query.get("to", ""))
    shown = {"show": query.getlist("show"), "from": query.get("from", ""), "to": query.get("to", "")}
    return (
        Asked(
            patient=patient,
            writes="writes" in shown["show"],
            since=_micros(since) if since else 0,
            until=_micros(until + timedelta(days=1)) if until else FOREVER,
            limit=SHOWN,
            cursor=query.get("cursor") or None,
        ),
        shown,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _micros(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000_000)


async def _names(work: Work, told: list[looks.Day], wards: list[Json]) -> Mapping[str, str]:
    """Of all who are told of; a person's proxies by the name that their grant carries."""
    found = [each for day in told for look in day.looks for each in (look.agent, look.organization)]
    named = await queries.words(work, found)
    others, _mine = await words.acting(work)
    return {**named, **{each["proxy"]: each["party"] for each in others}}


def _row(look: Look, names: Mapping[str, str], me: str) -> Json:
    return {
        "key": look.key,
        "who": _who(look, names, me),
        "id": "" if look.agent in (me, *names) or "/" not in look.agent else look.agent,
        "organization": names.get(look.organization, ""),
        "role": words.roles().get(look.role, look.role),
        "purpose": words.purposes().get(look.purpose, look.purpose),
        "app": look.client,
        "kinds": list(look.kinds.items()),
        "writes": look.writes,
        "refused": look.refused,
        "times": look.times,
        "first": f"{look.first:%H:%M}",
        "last": f"{look.last:%H:%M}",
        "because": look.because,
        "task": words.task(look.task) if look.task else None,
        "mine": look.agent == me,
        "itself": look.agent.startswith(looks.ITSELF),
    }


def _who(look: Look, names: Mapping[str, str], me: str) -> str:
    if look.agent == me:
        return _("You")
    if look.agent.startswith(looks.ITSELF):
        return _("The platform itself")
    if "/" not in look.agent:
        return words.roles().get(look.role, look.agent)
    if look.agent in names:
        return names[look.agent]
    return words.roles()["backend"] if look.role == "backend" else _("Somebody who is not in the directory")

"""What waits for the privacy officer: emergency accesses to review, objections, conflicts, follow-ups."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commonweal.platform import Work
from commonweal.platform.journal import Asked
from commonweal.services.privacy import queries
from commonweal.services.privacy.pages import words
from commonweal.services.privacy.rules import looks, people
from commonweal.services.privacy.workflow import DUTIES
from commonweal.web import page
from commonweal.web.language import ngettext
from commonweal.web.page import _

Json = dict[str, Any]
SHOWN = 400


async def queue(work: Work, request: Request) -> Response:
    """Everything that waits, by kind, with how many and since when."""
    answer = await words.ask(work, "$privacy-queue")
    rows = [_row(work, each) for each in words.told(answer, "task")]
    groups = [
        (title, [each for each in rows if each["kind"] == kind]) for kind, title in words.titles().items()
    ]
    return page.render(
        request,
        "privacy/queue.html",
        groups=groups,
        overdue=sum(each["overdue"] for each in rows),
        answered=[words.task(each) for each in words.told(answer, "answered")],
    )


def _row(work: Work, task: Json) -> Json:
    shown = words.task(task)
    asked, until = (datetime.fromisoformat(shown[each]) for each in ("asked", "until"))
    return shown | {
        "who": shown["by"].get("display") or shown["by"].get("reference", ""),
        "age": age(work.now() - asked),
        "overdue": until < work.now(),
    }


def age(waited: timedelta) -> str:
    """How long something has waited, in the largest unit that says enough."""
    hours = int(waited.total_seconds() // 3600)
    if hours < 1:
        minutes = max(int(waited.total_seconds() // 60), 0)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    if hours < 48:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d day", "%(n)d days", hours // 24) % {"n": hours // 24}


async def case(work: Work, request: Request) -> Response:
    """One of them: who, why, what was seen; a form answers it in words that the person can read."""
    id = request.path_params["id"]
    faults = page.Faults()
    answer = await words.ask(work, "$privacy-case", task=f"Task/{id}")
    (task,), (patient,) = words.told(answer, "task"), words.told(answer, "patient")
    shown = _row(work, task)
    answers = _answers(shown["kind"])
    if request.method == "POST":
        form = await page.form(request)
        faults.needs(form["answer"] in answers, f"answer-{next(iter(answers))}", _("Choose what was found"))
        faults.needs(
            form["finding"].strip(), "finding", _("Say what was found, so that the person can read it")
        )
        done = await words.tried(faults, "", lambda: _answered(work, id, form))
        if done is not None:
            return page.redirect("/privacy-queue")
    seen = await _seen(work, shown, task["for"]["reference"])
    names = await queries.words(work, [shown["by"].get("reference", "")])
    return page.render(
        request,
        "privacy/case.html",
        422 if faults else 200,
        faults=faults,
        task=shown,
        who=names.get(shown["by"].get("reference", ""), shown["who"]),
        patient=people.called(patient) or _("name not recorded"),
        born=patient.get("birthDate", ""),
        seen=seen,
        consents=[words.consent(each) for each in words.told(answer, "consent")],
        answers=answers,
        moment=words.moment,
        purposes=words.purposes(),
    )


async def _answered(work: Work, id: str, form: page.Form) -> Json:
    return await words.ask(
        work,
        "$privacy-answer",
        task=f"Task/{id}",
        answer=form["answer"],
        finding=form["finding"].strip(),
        end=form.all("end"),
    )


def _answers(kind: str) -> Mapping[str, str]:
    titles = {
        "justified": _("It was justified"),
        "not-justified": _("It was not justified: follow up"),
        "in-order": _("The access was in order"),
        "not-in-order": _("The access was not in order: follow up"),
        "decided": _("It is decided"),
        "closed": _("It is closed"),
    }
    return {each: titles[each] for each in (DUTIES[kind].answers if kind in DUTIES else ())}


async def _seen(work: Work, task: Json, patient: str) -> list[looks.Look]:
    """What was seen in an emergency access, by the journal."""
    if task["kind"] != "emergency-access" or task["start"] is None or task["end"] is None:
        return []
    asked = Asked(
        patient=patient,
        agent=task["by"].get("reference", ""),
        since=int(task["start"].timestamp() * 1_000_000),
        until=int(task["end"].timestamp() * 1_000_000),
        limit=SHOWN,
    )
    return [look for day in looks.days(await work.journal(asked), []) for look in day.looks]

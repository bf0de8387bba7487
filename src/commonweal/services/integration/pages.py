"""The pages of integration: what waits and why, and one duty with what can be done about it."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir import codec
from commonweal.platform import Work
from commonweal.services.integration import actions, queries, rules
from commonweal.services.integration.workflow import MATCH, QUARANTINED
from commonweal.web import page, said
from commonweal.web.page import _

Json = dict[str, Any]
SHOWN = 4000
"""Letters of a message that a page shows."""


def _words() -> Mapping[str, str]:
    return {
        "requested": _("waits"),
        "accepted": _("taken on"),
        "completed": _("put right"),
        "rejected": _("given up"),
        "routine": _("routine"),
        "urgent": _("urgent"),
        "asap": _("as soon as possible"),
        "stat": _("at once"),
    }


async def waiting(work: Work, request: Request) -> Response:
    """Everything open, the most urgent first."""
    messages = await queries.waiting(work, QUARANTINED.name)
    matches = await queries.waiting(work, MATCH.name)
    return page.render(request, "integration/waiting.html", messages=_rows(messages), matches=_rows(matches))


def _rows(tasks: Sequence[Json]) -> list[Json]:
    urgent = sorted(tasks, key=lambda task: -rules.PRIORITIES.index(task.get("priority", "routine")))
    return [_row(task) for task in urgent]


def _row(task: Json) -> Json:
    words = _words()
    places = rules.given(task, "place")
    return {
        "id": task["id"],
        "place": places[0] if places else "",
        "reason": task.get("reasonCode", {}).get("text", ""),
        "owner": task.get("owner", {}).get("display") or task.get("owner", {}).get("reference", ""),
        "status": words.get(task["status"], task["status"]),
        "priority": task.get("priority", "routine"),
        "urgency": words[task.get("priority", "routine")],
        "until": said.moment(task.get("restriction", {}).get("period", {}).get("end", "")),
    }


async def duty(work: Work, request: Request) -> Response:
    """One duty; a form is what is done about it."""
    id = request.path_params["id"]
    faults = page.Faults()
    if request.method == "POST":
        form = await page.form(request)
        await _do(work, id, form, faults)
        if not faults:
            return page.redirect(f"/waiting/{id}")
    task = codec.parse((await work.read("Task", id)).body)
    return page.render(
        request,
        "integration/duty.html",
        422 if faults else 200,
        task=task,
        row=_row(task),
        content=_content(task),
        notes=task.get("note", []),
        people=[each.get("reference", "").removeprefix("Patient/") for each in rules.given(task, "patient")],
        outcome=[*rules.given(task, "outcome", "output"), task.get("statusReason", {}).get("text", "")],
        may_resolve=work.may("quarantine.resolve"),
        faults=faults,
    )


async def _do(work: Work, id: str, form: page.Form, faults: page.Faults) -> None:
    """One move; closing it needs words."""
    words, what = form["words"].strip(), form["what"]
    if what == "accept":
        await actions.accept(work, id)
        return
    faults.needs(words, "words", _("Say what came of it, or why nothing can be made of it"))
    if faults:
        return
    if what == "reject":
        await actions.reject(work, id, words)
    elif what == "merge":
        await actions.merge_match(work, id, form["source"], form["target"], words)
    else:
        await actions.complete(work, id, words)


def _content(task: Json) -> str:
    """The message as text, its beginning at least."""
    for each in rules.given(task, "content"):
        text = base64.b64decode(each.get("data", "")).decode("utf-8", "replace")
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return ""

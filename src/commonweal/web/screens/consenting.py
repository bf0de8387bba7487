"""Consent to an app: who asks, for what, on whom; the person allows all, some or nothing of it."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commonweal.access.roles import RESIDENT
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID
from commonweal.identity.oauth import deciding
from commonweal.identity.oauth.deciding import Question
from commonweal.platform.work import Work
from commonweal.web import names, page, signed, site
from commonweal.web.language import gettext as _
from commonweal.web.record import person
from commonweal.web.record.person import Person
from commonweal.web.screens import finding
from commonweal.web.screens.own.role import titled


async def consent(work: Work, request: Request) -> Response:
    """The question, and where the answer leads: back to the app."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    house, may = signed.house(request), site.of(request).platform.catalogue.policy.may
    handle = request.query_params.get("request", "")
    question = await deciding.question(house, handle, mine, may)
    faults, form = page.Faults(), page.Form.none()
    if request.method == "POST":
        form = await page.form(request)
        allowed = form.all("scope") if form["answer"] == "allow" else None
        if allowed is not None:
            _check(question, allowed, form["patient"], faults)
        if not faults:
            patient = await _reached(work, form["patient"]) if allowed and question.needs_patient else ""
            return RedirectResponse(await deciding.decide(house, handle, mine, allowed, patient, may), 303)
    request.state.form_action = question.origin
    return await _asked(work, request, question, faults, form)


def _check(question: Question, allowed: Sequence[str], patient: str, faults: page.Faults) -> None:
    asked = {each.text for each in question.scopes if not each.name.startswith("launch")}
    faults.needs(asked.intersection(allowed), "scopes", _("Choose what to allow, or do not allow the app"))
    if question.needs_patient:
        faults.needs(ID.fullmatch(patient), "patient", _("Choose whose data the app may see"))


async def _reached(work: Work, patient: str) -> str:
    """The person, if whoever answers may see them themselves: an app gets nobody whom they do not."""
    return (await work.read("Patient", patient)).id


async def _asked(
    work: Work, request: Request, question: Question, faults: page.Faults, form: page.Form
) -> Response:
    client, name = question.client, " ".join(request.query_params.get("name", "").split())
    behind = {client.organization} if client.organization else set()
    if question.patient:
        behind.add(f"Patient/{question.patient}")
    return page.render(
        request,
        "consent.html",
        400 if faults else 200,
        question=question,
        shown=[each for each in question.scopes if not each.name.startswith("launch")],
        kept=[each for each in question.scopes if each.name.startswith("launch")],
        allowed=form.all("scope") if faults else [each.text for each in question.scopes],
        chosen=form["patient"],
        people=await _people(work, request, name) if question.needs_patient else [],
        titles=await titled(work, behind),
        is_own=work.agent.has(RESIDENT),
        name=name,
        faults=faults,
        names=names,
    )


async def _people(work: Work, request: Request, name: str) -> list[Person]:
    """A resident's own people, all of whom they reach; of everybody else those whom a name finds."""
    try:
        if work.agent.has(RESIDENT):
            matches = (await work.search(f"Patient?_count={finding.MOST_OWN}")).matches
        else:
            matches = await finding.by_name(work, request, name) if name else []
    except Problem as problem:
        if problem.status != 403:
            raise
        return []
    today = work.now().date().isoformat()
    return [person.person(codec.parse(each.body), today) for each in matches]

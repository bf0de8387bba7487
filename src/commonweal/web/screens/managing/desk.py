"""The help desk: a code given by hand to somebody who was recognised, and whose record it opens."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID
from commonweal.identity import codes
from commonweal.platform.work import Work
from commonweal.web import page, signed
from commonweal.web.language import gettext as _

FIELDS = ("phone", "checked", "patient", "because")


def documents() -> dict[str, str]:
    """What may have been looked at."""
    return {
        "identity-card": _("Identity card"),
        "passport": _("Passport"),
        "residence-permit": _("Residence permit"),
        "known-in-person": _("Nothing: I know this person"),
    }


async def give(work: Work, request: Request) -> Response:
    """Who came, how they were recognised, and the code for them, shown once."""
    faults, given = page.Faults(), dict.fromkeys(FIELDS, "")
    given["patient"] = request.query_params.get("patient", "")[:64]
    if request.method == "POST":
        form = await page.form(request)
        given = {name: form[name].strip() for name in FIELDS}
        given["patient"] = given["patient"].removeprefix("Patient/")
        code = await _given(work, request, given, faults)
        if code:
            return page.render(request, "managing/desk-code.html", code=code, given=given)
    return page.render(
        request,
        "managing/desk.html",
        400 if faults else 200,
        faults=faults,
        given=given,
        documents=documents(),
    )


async def _given(work: Work, request: Request, given: dict[str, str], faults: page.Faults) -> str:
    faults.needs(given["phone"], "phone", _("Enter the phone number with which this person will sign in"))
    faults.needs(given["checked"] in codes.DOCUMENTS, "checked", _("Say what you looked at"))
    faults.needs(given["because"], "because", _("Say why, such as: phone lost"))
    if given["patient"] and not await _is_reached(work, given["patient"]):
        faults.needs(
            False, "patient", _("There is no such person within your reach; find them by a search first")
        )
    if faults:
        return ""
    patient = f"Patient/{given['patient']}" if given["patient"] else ""
    try:
        return await codes.give(
            signed.house(request),
            work.agent,
            given["phone"],
            checked=given["checked"],
            because=given["because"],
            patient=patient,
        )
    except Problem as problem:
        if problem.status != 400:
            raise
        faults.needs(
            False, "phone", _("This is not a phone number; write it like 138 0013 8000 or +44 7700 900123")
        )
        return ""


async def _is_reached(work: Work, patient: str) -> bool:
    if not ID.fullmatch(patient):
        return False
    try:
        await work.read("Patient", patient)
    except Problem as problem:
        if problem.status not in (403, 404, 410):
            raise
        return False
    return True

"""The second factor: proving it, setting it up the first time, and a password of one's own."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.identity import signing
from commonweal.identity.finishing import Signed
from commonweal.identity.signing import Step
from commonweal.web import names, page, signed
from commonweal.web.language import gettext as _
from commonweal.web.screens.entering import steps


async def second(request: Request) -> Response:
    """A code of the app, a recovery code, or a passkey."""
    step = await steps.held(request, "second")
    if step is None:
        return steps.begun(request, steps.following(request))
    house, faults = signed.house(request), page.Faults()
    going = steps.following(request)
    if request.method == "POST":
        form = await page.form(request)
        going = steps.following(request, form)
        field = next((name for name in ("recovery", "credential") if name in form), "code")
        faults.needs(form[field].strip(), field, _("Enter the code"))
        if not faults:
            trying = signing.second(
                house,
                step.value,
                steps.at(request),
                code=form["code"],
                recovery=form["recovery"].strip(),
                handle=form["handle"],
                assertion=form["credential"],
            )
            wrong = _("This does not prove who you are. Try the next code, or another way.")
            result = await steps.tried(trying, faults, field, wrong)
            if result is not None:
                return steps.led_on(request, result, going)
    if await steps.held(request, "second") is None:
        return steps.begun(request, going)
    has_passkey = "passkey" in step.ways
    handle, options = await signing.ask_passkey(house, step.value) if has_passkey else ("", "")
    return page.render(
        request,
        "entering/second.html",
        400 if faults else 200,
        faults=faults,
        following=going,
        ways=step.ways,
        handle=handle,
        options=options,
    )


async def enrol(request: Request) -> Response:
    """The first sign-in: an authenticator app or a passkey becomes the second factor."""
    step = await steps.held(request, "enrol")
    going = steps.following(request)
    if step is None:
        return steps.begun(request, going)
    house, faults = signed.house(request), page.Faults()
    if request.method == "POST":
        form = await page.form(request)
        going = steps.following(request, form)
        field = "credential" if "credential" in form else "code"
        faults.needs(form[field].strip(), field, _("Enter the six digits that the app shows"))
        if not faults:
            trying = signing.enrolled(
                house,
                step.value,
                steps.at(request),
                code=form["code"],
                handle=form["handle"],
                credential=form["credential"],
                name=form["name"].strip(),
            )
            wrong = _("That is not the code of now. Check the clock of your phone, then enter the next code.")
            result = await steps.tried(trying, faults, field, wrong)
            if result is not None:
                return _recovery(request, *result, going)
    return await _enrolling(request, step, faults, going)


def _recovery(request: Request, reached: Step | Signed, codes: tuple[str, ...], going: str) -> Response:
    """The recovery codes, shown this once, and the way on."""
    following = steps.place_of(reached, going)
    answer = page.render(request, "entering/recovery.html", codes=codes, following=following)
    return steps.carry(request, answer, reached)


async def _enrolling(request: Request, step: Step, faults: page.Faults, going: str) -> Response:
    if await steps.held(request, "enrol") is None:
        return steps.begun(request, going)
    enrolment = await signing.enrol(signed.house(request), step.value)
    handle, options = await _passkey(request, step)
    return page.render(
        request,
        "entering/enrol.html",
        400 if faults else 200,
        faults=faults,
        following=going,
        enrolment=enrolment,
        handle=handle,
        options=options,
    )


async def _passkey(request: Request, step: Step) -> tuple[str, str]:
    """Handle and options; none where nobody knows under which address we are reached."""
    try:
        return await signing.enrol_passkey(signed.house(request), step.value)
    except Problem as problem:
        if problem.status != 501 and "base_url" not in str(problem):
            raise
        return "", ""


async def renew(request: Request) -> Response:
    """Choose a password of one's own in place of the first one."""
    step = await steps.held(request, "renew")
    going = steps.following(request)
    if step is None:
        return steps.begun(request, going)
    faults = page.Faults()
    if request.method == "POST":
        form = await page.form(request)
        going = steps.following(request, form)
        check_pair(form, faults)
        if not faults:
            answer = await _renewed(request, step, form["password"], faults, going)
            if answer is not None:
                return answer
    return page.render(request, "entering/renew.html", 400 if faults else 200, faults=faults, following=going)


async def _renewed(
    request: Request, step: Step, password: str, faults: page.Faults, going: str
) -> Response | None:
    try:
        result = await signing.renew(signed.house(request), step.value, password, steps.at(request))
    except Problem as problem:
        if problem.status == 401:
            return steps.begun(request, going)
        if problem.status != 422:
            raise
        faults.needs(False, "password", names.password_refused(str(problem)))
        return None
    return steps.led_on(request, result, going)


def check_pair(form: page.Form, faults: page.Faults) -> None:
    """A new password, written twice."""
    faults.needs(form["password"], "password", _("Enter a new password"))
    faults.needs(form["again"] == form["password"], "again", _("The two are not the same; write it again"))

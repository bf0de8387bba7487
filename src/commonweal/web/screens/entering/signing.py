"""Signing in with a name and a password, or with a token of the command line; and out again."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.identity import sessions, signing
from commonweal.web import entrance, page, signed, site, viewer
from commonweal.web.language import gettext as _
from commonweal.web.screens.entering import steps


async def sign_in(request: Request) -> Response:
    """Ask for name and password; right ones lead to the second factor, and that to where the person was going."""
    faults, login = page.Faults(), ""
    going = steps.following(request)
    if request.method == "POST":
        form = await page.form(request)
        going, login = steps.following(request, form), form["login"].strip()
        answer = await (_by_token if "code" in form else _by_password)(request, form, faults, going)
        if answer is not None:
            return answer
    elif viewer.of(request).agent is not None:
        return page.redirect(going)
    return page.render(
        request,
        "sign-in.html",
        400 if faults else 200,
        faults=faults,
        following=going,
        login=login,
        has_accounts=site.of(request).identity is not None,
    )


async def _by_password(request: Request, form: page.Form, faults: page.Faults, going: str) -> Response | None:
    login, password = form["login"].strip(), form["password"]
    faults.needs(login, "login", _("Enter your name"))
    faults.needs(password, "password", _("Enter your password"))
    if faults:
        return None
    trying = signing.begin(signed.house(request), login, password, steps.at(request))
    wrong = _("The name or the password is not right. Check both; capital letters count in the password.")
    step = await steps.tried(trying, faults, "password", wrong)
    return steps.led_on(request, step, going) if step else None


async def _by_token(request: Request, form: page.Form, faults: page.Faults, going: str) -> Response | None:
    token = "".join(form["code"].split())
    faults.needs(token, "code", _("Enter the code"))
    if not faults and _is_ours(request, token):
        answer = page.redirect(going)
        entrance.open_session(request, answer, token)
        return answer
    faults.needs(False, "code", _("This code is not valid, or no longer; get a new one"))
    return None


def _is_ours(request: Request, token: str) -> bool:
    try:
        site.of(request).authenticate(token)
    except Problem:
        return False
    return True


async def sign_out(request: Request) -> Response:
    """End the session, here and in the browser; the form's token was checked, so nobody else can do it."""
    house, seen = site.of(request).identity, viewer.of(request)
    if house is not None and seen.agent is not None and seen.agent.session:
        await sessions.end(house, seen.session)
        await house.note(seen.agent, "sign-out", work=request.state.id)
    answer = page.redirect("/signed-out")
    entrance.close_session(request, answer)
    return answer


async def signed_out(request: Request) -> Response:
    """It is over, and how to begin again."""
    if viewer.of(request).agent is not None:
        return page.redirect("/")
    return page.render(request, "entering/signed-out.html")

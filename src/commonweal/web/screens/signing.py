"""Signing in with a code of this installation, and out again. Passwords and passkeys come later."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.web import entrance, page, site, viewer
from commonweal.web.language import gettext as _


async def sign_in(request: Request) -> Response:
    """Ask for the code; a right one opens a session and leads back to where the person was going."""
    faults = page.Faults()
    following = entrance.local(request.query_params.get("next", "/"))
    if request.method == "POST":
        form = await page.form(request)
        following = entrance.local(form["next"])
        token = "".join(form["code"].split())
        faults.needs(token, "code", _("Enter the code"))
        if not faults and _is_ours(request, token):
            answer = page.redirect(following)
            entrance.open_session(request, answer, token)
            return answer
        faults.needs(False, "code", _("This code is not valid, or no longer; get a new one"))
    elif viewer.of(request).agent is not None:
        return page.redirect(following)
    return page.render(request, "sign-in.html", 400 if faults else 200, faults=faults, following=following)


def _is_ours(request: Request, token: str) -> bool:
    try:
        site.of(request).authenticate(token)
    except Problem:
        return False
    return True


async def sign_out(request: Request) -> Response:
    """End the session; the form's token was checked, so nobody else can do it."""
    answer = page.redirect("/sign-in")
    entrance.close_session(request, answer)
    return answer

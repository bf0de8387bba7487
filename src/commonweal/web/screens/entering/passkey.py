"""Signing in with a passkey alone: the device is one factor, the finger or PIN that opens it the other."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.identity import signing
from commonweal.web import page, signed
from commonweal.web.language import gettext as _
from commonweal.web.screens.entering import steps


async def passkey(request: Request) -> Response:
    """A challenge for whatever passkey this browser has."""
    house, faults, going = signed.house(request), page.Faults(), steps.following(request)
    if request.method == "POST":
        form = await page.form(request)
        going = steps.following(request, form)
        trying = signing.by_passkey(house, form["handle"], form["credential"], steps.at(request))
        wrong = _("The passkey was not accepted. Try again, or sign in with your password.")
        result = await steps.tried(trying, faults, "", wrong)
        if result is not None:
            return steps.led_on(request, result, going)
    handle, options = await signing.ask_passkey(house)
    return page.render(
        request,
        "entering/passkey.html",
        400 if faults else 200,
        faults=faults,
        following=going,
        handle=handle,
        options=options,
    )

"""Residents sign in with a code sent to their phone, read out to it, or given by hand at a help desk."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.identity import codes, residents
from commonweal.identity.finishing import Signed
from commonweal.web import entrance, page, signed, viewer
from commonweal.web.language import gettext as _
from commonweal.web.screens.entering import steps


async def phone(request: Request) -> Response:
    """Ask for the number; the same is said of every number, whoever has it."""
    faults, number, going = page.Faults(), "", steps.following(request)
    if request.method == "POST":
        form = await page.form(request)
        number, going = form["phone"].strip(), steps.following(request, form)
        faults.needs(number, "phone", _("Enter your phone number"))
        handle = None if faults else await _asked(request, number, faults)
        if handle:
            answer = page.redirect(page.address("/sign-in/code", next=going))
            entrance.set_cookie(request, answer, steps.PHONE, handle)
            return answer
    return page.render(
        request, "entering/phone.html", 400 if faults else 200, faults=faults, phone=number, following=going
    )


async def _asked(request: Request, number: str, faults: page.Faults) -> str | None:
    trying = codes.ask(signed.house(request), number, signed.peer(request), language=_language(request))
    try:
        return await steps.tried(trying, faults, "phone", "")
    except Problem as problem:
        if problem.status != 400:
            raise
        faults.needs(
            False, "phone", _("This is not a phone number; write it like 138 0013 8000 or +44 7700 900123")
        )
        return None


async def code(request: Request) -> Response:
    """The six digits; or, after a minute, a new code by voice or message."""
    handle, going = steps.handle(request, steps.PHONE), steps.following(request)
    if not handle:
        return page.redirect(page.address("/sign-in/phone", next=going))
    faults, told = page.Faults(), ""
    if request.method == "POST":
        form = await page.form(request)
        going = steps.following(request, form)
        if form["again"]:
            channel: codes.Channel = "sms" if form["again"] == "sms" else "voice"
            told = await _again(request, handle, channel, faults)
        elif result := await _proved(request, handle, form["code"], faults):
            return steps.led_on(request, result, going)
    return page.render(
        request, "entering/code.html", 400 if faults else 200, faults=faults, following=going, told=told
    )


async def _proved(request: Request, handle: str, code: str, faults: page.Faults) -> Signed | None:
    faults.needs(code.strip(), "code", _("Enter the six digits"))
    if faults:
        return None
    trying = residents.by_phone(
        signed.house(request), handle, code, steps.at(request), language=_language(request)
    )
    return await steps.tried(trying, faults, "code", _wrong())


async def _again(request: Request, handle: str, channel: codes.Channel, faults: page.Faults) -> str:
    trying = codes.again(signed.house(request), handle, signed.peer(request), channel)
    await steps.tried(trying, faults, "code", _wrong())
    if faults:
        return ""
    return _("We are calling you now.") if channel == "voice" else _("A new code is on its way.")


def _wrong() -> str:
    return _(
        "The code is not right, or too old. Check it; five minutes after it was sent, ask for a new one."
    )


async def desk(request: Request) -> Response:
    """A code given by hand at a help desk, with the number it was given for."""
    faults, number, going = page.Faults(), "", steps.following(request)
    if request.method == "POST":
        form = await page.form(request)
        number, going = form["phone"].strip(), steps.following(request, form)
        faults.needs(number, "phone", _("Enter your phone number"))
        faults.needs(form["code"].strip(), "code", _("Enter the code from the help desk"))
        if not faults:
            trying = residents.in_person(
                signed.house(request), number, form["code"], steps.at(request), language=_language(request)
            )
            wrong = _("Number and code do not belong together, or the code is older than half an hour.")
            result = await steps.tried(trying, faults, "code", wrong)
            if result is not None:
                return steps.led_on(request, result, going)
    return page.render(
        request, "entering/desk.html", 400 if faults else 200, faults=faults, phone=number, following=going
    )


def _language(request: Request) -> str:
    return viewer.of(request).language.tag.partition("-")[0]

"""From one step of a sign-in to the next, and at its end into a session: a new cookie each time."""

from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.identity import signing
from commonweal.identity.account import RESIDENT
from commonweal.identity.finishing import From, Signed
from commonweal.identity.signing import Step
from commonweal.web import entrance, page, signed, viewer
from commonweal.web.language import gettext as _
from commonweal.web.language import ngettext

PLACES = {"second": "/sign-in/second", "enrol": "/sign-in/enrol", "renew": "/sign-in/renew"}
PHONE = "phone"
"""The cookie that says to which code sent to a phone the answer belongs."""
Result = TypeVar("Result")


async def held(request: Request, need: str) -> Step | None:
    """The step that this browser is at, if it is that one and not over."""
    value = handle(request, entrance.STEP)
    try:
        step = await signing.step(signed.house(request), value) if value else None
    except Problem as problem:
        if problem.status != 401:
            raise
        return None
    return step if step and step.need == need else None


def handle(request: Request, name: str) -> str:
    """What a cookie of a sign-in on its way holds."""
    return request.cookies.get(entrance.cookie(request, name), "")


def following(request: Request, form: page.Form | None = None) -> str:
    """Where the person was going."""
    return entrance.local((form["next"] if form else request.query_params.get("next", "")) or "/")


def begun(request: Request, going: str) -> Response:
    """Back to the beginning: the step is over, or was never begun."""
    answer = page.redirect(page.address("/sign-in", next=going if going != "/" else ""))
    entrance.delete_cookie(request, answer, entrance.STEP)
    return answer


def led_on(request: Request, result: Step | Signed, going: str) -> Response:
    """To the screen of the next step, or in."""
    answer = page.redirect(place_of(result, going))
    return carry(request, answer, result)


def carry(request: Request, answer: Response, result: Step | Signed) -> Response:
    """The answer with the cookie of what was reached."""
    if isinstance(result, Signed):
        entrance.open_session(request, answer, result.value)
        entrance.delete_cookie(request, answer, PHONE)
    else:
        entrance.set_cookie(request, answer, entrance.STEP, result.value)
    return answer


def place_of(result: Step | Signed, going: str) -> str:
    """The address of the next step; of the choice of a role or a record, where there is one to make."""
    if isinstance(result, Step):
        return page.address(PLACES[result.need], next=going)
    if len(result.assignments) > 1:
        return page.address("/me/role", next=going)
    if result.account.kind == RESIDENT and not result.account.reference:
        return page.address("/me/record", next=going)
    return going


def at(request: Request) -> From:
    """From where somebody signs in."""
    device = request.headers.get("user-agent", "")[:500]
    return From(signed.peer(request), device, viewer.of(request).session)


async def tried(trying: Awaitable[Result], faults: page.Faults, field: str, sentence: str) -> Result | None:
    """What comes of a try; what proves nothing, or comes too soon, becomes a fault of the form."""
    try:
        return await trying
    except Problem as problem:
        if problem.status == 429:
            faults.needs(False, "", _wait(problem.retry_after or 60))
        elif problem.status == 401:
            faults.needs(False, field, sentence)
        elif problem.status == 403:
            sentence = _("You have no role here that holds now. Ask whoever manages people and roles.")
            faults.needs(False, "", sentence)
        else:
            raise
        return None


def _wait(seconds: int) -> str:
    """When to come again, in a measure that can be waited for."""
    if seconds < 120:
        return ngettext(
            "Too many tries. Wait %(n)d second, then try again.",
            "Too many tries. Wait %(n)d seconds, then try again.",
            seconds,
        ) % {"n": seconds}
    minutes = -(-seconds // 60)
    if minutes < 120:
        return _("Too many tries. Wait %(n)d minutes, then try again.") % {"n": minutes}
    return _("Too many tries. Wait %(n)d hours, or go to a help desk.") % {"n": -(-minutes // 60)}

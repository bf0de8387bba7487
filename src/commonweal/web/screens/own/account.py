"""My account: password, second factors, passkeys and recovery codes; each change asks for the password again."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, own
from commonweal.identity.onetime import Enrolment
from commonweal.identity.sessions import Session
from commonweal.platform.work import Work
from commonweal.web import names, page, signed, viewer
from commonweal.web.language import gettext as _
from commonweal.web.screens.entering import steps
from commonweal.web.screens.entering.proving import check_pair

Does = Callable[[Work, Request, Session, page.Form, page.Faults], Awaitable[Response | None]]


async def show(work: Work, request: Request) -> Response:
    """How I sign in."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    account = await accounts.get(signed.house(request), mine.account)
    return page.render(
        request,
        "own/account.html",
        account=account,
        ways=mine.ways,
        changed=request.query_params.get("changed", ""),
    )


async def change(work: Work, request: Request) -> Response:
    """One thing to change, on a page of its own."""
    mine = await signed.session(request)
    what = request.path_params["what"]
    if mine is None:
        return page.render(request, "own/none.html")
    if what not in DOES:
        raise Problem.of("cw-unknown-address", address=request.url.path)
    faults, form = page.Faults(), page.Form.none()
    if request.method == "POST":
        form = await page.form(request)
        answer = await DOES[what](work, request, mine, form, faults)
        if answer is not None:
            return answer
    account = await accounts.get(signed.house(request), mine.account)
    return page.render(
        request,
        "own/change.html",
        400 if faults else 200,
        what=what,
        faults=faults,
        account=account,
        passkey=form["passkey"] or request.query_params.get("passkey", ""),
    )


def _done(what: str) -> Response:
    return page.redirect(page.address("/me", changed=what))


def _wrong() -> str:
    return _("That is not your password.")


async def _password(
    work: Work, request: Request, mine: Session, form: page.Form, faults: page.Faults
) -> Response | None:
    check_pair(form, faults)
    if faults:
        return None
    cookie, house = viewer.of(request).session, signed.house(request)
    changing = own.change_password(house, work.agent, mine, form["old"], form["password"], cookie)
    try:
        await steps.tried(changing, faults, "old", _wrong())
    except Problem as problem:
        if problem.status != 422:
            raise
        faults.needs(False, "password", names.password_refused(str(problem)))
    return None if faults else _done("password")


async def _app(
    work: Work, request: Request, mine: Session, form: page.Form, faults: page.Faults
) -> Response | None:
    """First the password, then the code of the new app."""
    house = signed.house(request)
    if "code" not in form:
        enrolment = await steps.tried(own.enrol(house, mine, form["old"]), faults, "old", _wrong())
        return _scanned(request, enrolment, faults) if enrolment else None
    wrong = _("That is not the code of now. Begin again, and enter the newest code.")
    codes = await steps.tried(own.confirm(house, work.agent, mine, form["code"]), faults, "", wrong)
    return page.render(request, "own/codes.html", codes=codes) if codes else None


def _scanned(request: Request, enrolment: Enrolment, faults: page.Faults) -> Response:
    return page.render(request, "own/app.html", enrolment=enrolment, faults=faults)


async def _passkey(
    work: Work, request: Request, mine: Session, form: page.Form, faults: page.Faults
) -> Response | None:
    """First the password, then what the device made."""
    house = signed.house(request)
    if "credential" not in form:
        begun = await steps.tried(own.begin_passkey(house, mine, form["old"]), faults, "old", _wrong())
        if begun is None:
            return None
        handle, options = begun
        return page.render(request, "own/passkey.html", handle=handle, options=options)
    wrong = _("The passkey was not accepted; begin again.")
    adding = own.add_passkey(
        house, work.agent, mine, form["handle"], form["credential"], form["name"].strip()
    )
    return _done("passkey") if await steps.tried(adding, faults, "", wrong) else None


async def _remove(
    work: Work, request: Request, mine: Session, form: page.Form, faults: page.Faults
) -> Response | None:
    house, id = signed.house(request), form["passkey"]
    try:
        await steps.tried(
            own.remove_passkey(house, work.agent, mine, form["old"], id), faults, "old", _wrong()
        )
    except Problem as problem:
        if problem.status != 409:
            raise
        faults.needs(False, "", _("This is your last second factor. Add another one first."))
    return None if faults else _done("removed")


async def _recovery(
    work: Work, request: Request, mine: Session, form: page.Form, faults: page.Faults
) -> Response | None:
    renewing = own.renew_recovery(signed.house(request), work.agent, mine, form["old"])
    codes = await steps.tried(renewing, faults, "old", _wrong())
    return page.render(request, "own/codes.html", codes=codes) if codes else None


DOES: Mapping[str, Does] = {
    "password": _password,
    "app": _app,
    "passkey": _passkey,
    "remove-passkey": _remove,
    "recovery": _recovery,
}

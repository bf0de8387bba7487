"""One person's account: whether it may be used, by which factors, and the roles in which they may act."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from commonweal.access.roles import ROLES, Within
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, sessions
from commonweal.identity.account import Account
from commonweal.identity.drawers import FOREVER
from commonweal.platform.work import Work
from commonweal.web import names, page, signed
from commonweal.web.language import gettext as _
from commonweal.web.screens.managing.meaning import meant
from commonweal.web.screens.own.role import titles

ASSIGNED = tuple(name for name in ROLES if name not in accounts.UNASSIGNED)
FIELDS = ("role", "organization", "areas", "since", "until", "justified")
Done = Callable[[Work, Request, Account, page.Form], Awaitable[Response | None]]


async def show(work: Work, request: Request) -> Response:
    """The page; its forms say by `do` what is to be done."""
    house = signed.house(request)
    account = await accounts.get(house, request.path_params["id"])
    faults, given, cleared = page.Faults(), dict.fromkeys(FIELDS, ""), list[str]()
    if request.method == "POST":
        form = await page.form(request)
        if form["do"] == "assign":
            given, cleared = {name: form[name].strip() for name in FIELDS}, form.all("clearances")
            await _assign(work, request, account, given, cleared, faults)
        elif form["do"] == "refer":
            who = await meant(work, "Practitioner", form["reference"].strip(), "reference", faults)
            if not faults:
                await _refer(work, request, account, who, faults)
        else:
            if form["do"] == "reset":
                faults.needs(
                    form["because"].strip(), "because", _("Say why, and how you recognised this person")
                )
            done = DOES.get(form["do"]) if not faults else None
            answer = await done(work, request, account, form) if done else None
            if answer is not None:
                return answer
        if not faults:
            return page.redirect(f"/access/people/{account.id}")
    await house.note(work.agent, "account-read", account.party, work=work.id)
    return page.render(
        request,
        "managing/person.html",
        400 if faults else 200,
        account=account,
        faults=faults,
        given=given,
        cleared=cleared,
        places=await titles(work, account.assignments),
        sessions=await sessions.list(house, account.id),
        roles=ASSIGNED,
        now=house.now(),
        forever=FOREVER,
        is_mine=account.is_of(work.agent),
        names=names,
    )


async def _disable(work: Work, request: Request, account: Account, form: page.Form) -> None:
    await accounts.disable(signed.house(request), work.agent, account.id, form["because"].strip())


async def _enable(work: Work, request: Request, account: Account, form: page.Form) -> None:
    await accounts.enable(signed.house(request), work.agent, account.id, form["because"].strip())


async def _end_sessions(work: Work, request: Request, account: Account, form: page.Form) -> None:
    await sessions.end_all(signed.house(request), account.id)
    await signed.house(request).note(work.agent, "sessions-end", account.party)


async def _unassign(work: Work, request: Request, account: Account, form: page.Form) -> None:
    await accounts.unassign(signed.house(request), work.agent, account.id, form["assignment"])


async def _reset(work: Work, request: Request, account: Account, form: page.Form) -> Response:
    """A new first password; where asked, without the second factors, which were lost."""
    password = await accounts.reset(
        signed.house(request), work.agent, account.id, form["because"], factors=bool(form["factors"])
    )
    return page.render(request, "managing/added.html", account=account, password=password)


async def _refer(work: Work, request: Request, account: Account, who: str, faults: page.Faults) -> None:
    try:
        await accounts.change(signed.house(request), work.agent, account.id, reference=who)
    except Problem as problem:
        if problem.status != 409:
            raise
        faults.needs(
            False, "reference", _("This practitioner has an account already; look for it under People")
        )


DOES: Mapping[str, Done] = {
    "disable": _disable,
    "enable": _enable,
    "end": _end_sessions,
    "unassign": _unassign,
    "reset": _reset,
}


async def _assign(
    work: Work,
    request: Request,
    account: Account,
    given: dict[str, str],
    cleared: list[str],
    faults: page.Faults,
) -> None:
    _check(given, cleared, faults)
    organization = await meant(work, "Organization", given["organization"], "organization", faults)
    lines = filter(None, map(str.strip, given["areas"].splitlines()))
    areas = [await meant(work, "Location", each, "areas", faults) for each in lines]
    if faults:
        return
    try:
        await accounts.assign(
            signed.house(request),
            work.agent,
            account.id,
            given["role"],
            organization=organization,
            areas=areas,
            since=_day(given["since"]) or 0,
            until=_day(given["until"], timedelta(days=1)) or FOREVER,
            clearances=cleared,
            because=given["justified"],
        )
    except Problem as problem:
        if problem.status not in (400, 422):
            raise
        faults.needs(False, "role", str(problem))


def _check(given: dict[str, str], cleared: list[str], faults: page.Faults) -> None:
    role = ROLES.get(given["role"])
    faults.needs(given["role"] in ASSIGNED, "role", _("Choose a role"))
    if role and role.within in (Within.ORGANIZATION, Within.RELATIONSHIP):
        faults.needs(
            given["organization"], "organization", _("This role acts for an organization; enter which")
        )
    if role and role.within == Within.AREA:
        faults.needs(given["areas"], "areas", _("This role acts in areas; enter at least one"))
    for field in ("since", "until"):
        if given[field]:
            faults.needs(_day(given[field]), field, _("Enter the day as year-month-day, such as 2027-06-30"))
    if cleared:
        faults.needs(
            given["justified"], "justified", _("Name the statute or order that justifies the clearance")
        )


def _day(text: str, later: timedelta = timedelta()) -> int | None:
    """The first moment of a day in microseconds, so much later; None for what is no day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + later
    return int(start.timestamp()) * 1_000_000

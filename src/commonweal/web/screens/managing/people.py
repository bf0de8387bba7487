"""People who can sign in: finding one, and adding one."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from commonweal.identity import accounts
from commonweal.identity.account import STAFF, Account
from commonweal.identity.house import Identity
from commonweal.identity.phones import normalised
from commonweal.platform.work import Work
from commonweal.web import names, page, signed, site
from commonweal.web.language import ENGLISH
from commonweal.web.language import gettext as _
from commonweal.web.screens.managing.meaning import meant

PAGE = 50
AT_ONCE, MOST = 500, 5_000
"""Accounts are looked through by name so many at once, and so many in all: they are kept encrypted, in no index."""


async def find(work: Work, request: Request) -> Response:
    """Everybody in the order in which they were added, or whom a name, login or reference finds."""
    house = signed.house(request)
    asked = " ".join(request.query_params.get("who", "").split())
    after = request.query_params.get("after", "")
    whole = True
    if asked:
        found, whole = await _found(house, asked)
    else:
        found = await accounts.page(house, after, PAGE)
    await house.note(work.agent, "account-search", *(each.party for each in found), work=work.id)
    return page.render(
        request,
        "managing/people.html",
        asked=asked,
        found=found,
        whole=whole,
        most=MOST,
        following=page.address("/access", after=found[-1].id) if not asked and len(found) == PAGE else "",
        now=house.now(),
        names=names,
    )


async def _found(house: Identity, asked: str) -> tuple[Sequence[Account], bool]:
    """By login, phone or reference, else by any part of the name or login."""
    phone = normalised(asked, house.parameters.calling_code)
    exact = await accounts.by_login(house, asked) or await accounts.by_reference(house, asked)
    if exact is None and phone is not None:
        exact = await accounts.by_login(house, phone)
    if exact is not None:
        return [exact], True
    wanted, found, after = asked.casefold(), list[Account](), ""
    for _turn in range(MOST // AT_ONCE):
        some = await accounts.page(house, after, AT_ONCE)
        found += [each for each in some if wanted in f"{each.name} {each.login}".casefold()]
        if len(some) < AT_ONCE or len(found) >= PAGE:
            return found[:PAGE], len(found) <= PAGE
        after = some[-1].id
    return found, False


async def add(work: Work, request: Request) -> Response:
    """A new account of staff; its first password is shown once and must be changed at the first sign-in."""
    faults = page.Faults()
    given = {"login": "", "name": "", "reference": "", "language": "en"}
    if request.method == "POST":
        form = await page.form(request)
        given = {name: form[name].strip() for name in given}
        given["language"] = (site.of(request).languages.named(given["language"]) or ENGLISH).tag
        reference = await meant(work, "Practitioner", given["reference"], "reference", faults)
        await _check(signed.house(request), given, reference, faults)
        if not faults:
            account, password = await accounts.invite(
                signed.house(request), work.agent, **(given | {"reference": reference})
            )
            return page.render(request, "managing/added.html", account=account, password=password)
    return page.render(
        request, "managing/add-person.html", 400 if faults else 200, faults=faults, given=given
    )


async def _check(house: Identity, given: dict[str, str], reference: str, faults: page.Faults) -> None:
    login = accounts.login_of(given["login"])
    shape, _told = accounts.LOGINS_OF[STAFF]
    faults.needs(given["name"], "name", _("Enter the name, as colleagues know this person"))
    faults.needs(login, "login", _("Enter the name to sign in with"))
    faults.needs(
        shape.fullmatch(login),
        "login",
        _("Use 2 to 64 small letters, digits or . _ @ - and begin with a letter"),
    )
    if not faults and await accounts.by_login(house, login):
        faults.needs(False, "login", _("Somebody has this name already; choose another"))
    if reference and not faults and await accounts.by_reference(house, reference):
        faults.needs(
            False, "reference", _("This practitioner has an account already; look for it under People")
        )

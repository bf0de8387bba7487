"""Binding my record: identity number, birth date and name must all fit one person, who has no account yet."""

import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commonweal.access.agent import Agent
from commonweal.access.roles import SYSTEM
from commonweal.fhir import codec
from commonweal.fhir.search.query import parse
from commonweal.identity import accounts, binding
from commonweal.platform.work import Work
from commonweal.web import page, signed, site
from commonweal.web.language import gettext as _
from commonweal.web.screens import finding
from commonweal.web.screens.entering import steps

Json = dict[str, Any]
MATCHING = Agent("system:identity", frozenset({SYSTEM}), "HOPERAT", name="identity")
"""Who looks for the person: whoever asks reaches nobody yet, and hears no more than yes or no."""
FIELDS = ("number", "born", "name")


async def bind(work: Work, request: Request) -> Response:
    """The three questions; the same no, whatever does not fit."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    house, faults, given = signed.house(request), page.Faults(), dict.fromkeys(FIELDS, "")
    going = steps.following(request)
    account = await accounts.get(house, mine.account)
    if request.method == "POST" and not account.reference:
        form = await page.form(request)
        given, going = {name: " ".join(form[name].split()) for name in FIELDS}, steps.following(request, form)
        _check(given, faults)
        if not faults:
            number, born, name = given.values()
            trying = binding.bind(house, account.id, number, born, name, partial(_find, request))
            bound = await steps.tried(trying, faults, "number", "")
            if bound:
                await accounts.change(house, work.agent, account.id, name=given["name"])
                return page.redirect(going if going != "/" else "/me?changed=record")
            faults.needs(False, "", _no())
    return page.render(
        request,
        "own/record.html",
        400 if faults else 200,
        faults=faults,
        given=given,
        following=going,
        account=account,
    )


def _no() -> str:
    return _(
        "No record could be bound by these. Check all three as they stand on the identity card. After five tries a day,"
        " or if they are right, go to a help desk with the card."
    )


def _check(given: dict[str, str], faults: page.Faults) -> None:
    faults.needs(given["number"], "number", _("Enter the number of your identity card"))
    faults.needs(
        finding.is_day(given["born"]), "born", _("Enter the birth date as year-month-day, such as 1951-03-08")
    )
    faults.needs(given["name"], "name", _("Enter your name as it stands on the card"))


async def _find(request: Request, number: str, born: str, name: str) -> Sequence[str]:
    """The patients whom all three fit."""
    platform = site.of(request).platform
    pairs = [("identifier", finding.escaped(number)), ("birthdate", born)]
    query = parse("Patient", pairs, platform.catalogue.registry, lenient=False)
    async with platform.work(MATCHING, request.state.id, single=True) as work:
        found = (await work.search(query)).matches
    wanted = _plain(name)
    return [each.reference for each in found if wanted in _names(codec.parse(each.body))]


def _names(patient: Json) -> frozenset[str]:
    """All that a person is called, in either order of given and family name."""
    told: set[str] = set()
    for each in patient.get("name", []):
        given, family = " ".join(each.get("given", [])), each.get("family", "")
        told |= {_plain(each.get("text", "")), _plain(family + given), _plain(given + family)}
    return frozenset(told - {""})


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(each for each in letters if each.isalnum())

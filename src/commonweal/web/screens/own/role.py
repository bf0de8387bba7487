"""Choosing the role to act in: one at a time, with its organization and areas."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, sessions
from commonweal.identity.account import Assignment
from commonweal.platform.work import Work
from commonweal.web import entrance, names, page, signed, viewer
from commonweal.web.language import gettext as _
from commonweal.web.record.line import title_of


async def choose(work: Work, request: Request) -> Response:
    """The roles that hold now; the one that is chosen holds for this session."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    house = signed.house(request)
    faults = page.Faults()
    following = entrance.local(request.query_params.get("next", "/"))
    if request.method == "POST":
        form = await page.form(request)
        following = entrance.local(form["next"])
        if await sessions.choose(house, viewer.of(request).session, form["assignment"]):
            await house.note(work.agent, "role-choose", because=form["assignment"][:64])
            return page.redirect(following)
        faults.needs(False, "assignment", _("Choose one of your roles"))
    account = await accounts.get(house, mine.account)
    acting = account.acting(house.now())
    return page.render(
        request,
        "own/role.html",
        400 if faults else 200,
        faults=faults,
        following=following,
        acting=acting,
        chosen=mine.assignment or (acting[0].id if acting else ""),
        places=await titles(work, acting),
        names=names,
    )


async def titles(work: Work, assignments: Iterable[Assignment]) -> dict[str, str]:
    """The organizations and areas of assignments, by reference."""
    return await titled(
        work, {each for one in assignments for each in (one.organization, *one.areas) if each}
    )


async def titled(work: Work, references: Iterable[str]) -> dict[str, str]:
    """What references lead to, called by name where it may be read."""
    asked = sorted(set(references))
    told = {each: each for each in asked}
    if not asked:
        return told
    try:
        found = await work.read_all([_parted(each) for each in asked])
    except Problem as problem:
        if problem.status != 403:
            raise
        return told
    return told | {each.reference: title_of(codec.parse(each.body)) for each in found if each is not None}


def _parted(reference: str) -> tuple[str, str]:
    type, _slash, id = reference.partition("/")
    return type, id

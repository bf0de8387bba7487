"""My sessions: where I am signed in, and ending any of it."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.identity import sessions
from commonweal.platform.work import Work
from commonweal.web import entrance, page, signed, viewer


async def show(work: Work, request: Request) -> Response:
    """The list; a form ends one of them, or all but this one."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    house = signed.house(request)
    if request.method == "POST":
        ended_here = await _end(request, mine.account, mine.id)
        await house.note(work.agent, "session-end", work=work.id)
        answer = page.redirect("/signed-out" if ended_here else "/me/sessions")
        if ended_here:
            entrance.close_session(request, answer)
        return answer
    found = await sessions.list(house, mine.account)
    return page.render(request, "own/sessions.html", sessions=found, here=mine.id)


async def _end(request: Request, account: str, here: str) -> bool:
    """Whether the session that asked is among those that ended."""
    house, form = signed.house(request), await page.form(request)
    if form["all"]:
        await sessions.end_all(house, account, but=viewer.of(request).session)
        return False
    await sessions.end_one(house, account, form["session"])
    return form["session"] == here

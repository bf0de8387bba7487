"""My apps: what I have let in, and showing it out again."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.identity.oauth import mine as apps
from commonweal.platform.work import Work
from commonweal.web import names, page, signed


async def show(work: Work, request: Request) -> Response:
    """The list; a form ends what one app may do."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    house = signed.house(request)
    if request.method == "POST":
        form = await page.form(request)
        if await apps.revoke(house, mine.account, form["grant"]):
            await house.note(work.agent, "app-revoke", f"client-{form['client'][:64]}")
        return page.redirect("/apps")
    found = await apps.of(house, mine.account)
    return page.render(request, "own/apps.html", apps=found, scope=names.scope)

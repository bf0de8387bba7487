"""Opening an app from a person's record: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.identity.oauth import clients, launches, places
from commonweal.identity.oauth.clients import Client
from commonweal.platform.work import Work
from commonweal.web import page, signed
from commonweal.web.screens import loading
from commonweal.web.screens.person import head_of

AT_ONCE, MOST = 200, 1_000
"""Registered apps that are looked through for those that can be opened from a record."""


async def apps(work: Work, request: Request) -> Response:
    """The apps that can be opened on this person; a form opens one, which then asks for what it wants."""
    mine = await signed.session(request)
    if mine is None:
        return page.render(request, "own/none.html")
    house, found = signed.house(request), await _opened(signed.house(request))
    if request.method == "POST":
        form = await page.form(request)
        if form["client"] not in {each.id for each in found}:
            raise Problem.of("cw-unknown-address", address="this app")
        _type, id = loading.named(request)
        patient, _resource = await loading.read(work, "Patient", id)
        handle = await launches.open(house, mine, form["client"], patient.id)
        return RedirectResponse(await launches.address(house, form["client"], handle), 303)
    head = await head_of(work, request)
    request.state.form_action = " ".join(sorted({places.origin(each.launch) for each in found}))
    return page.render(request, "launching.html", head=head, apps=found)


async def _opened(house: Identity) -> list[Client]:
    """Those in use that have an address to be opened at, by name."""
    found, after = list[Client](), ""
    for _turn in range(MOST // AT_ONCE):
        some = await clients.page(house, after, AT_ONCE)
        found += [each for each in some if each.enabled and each.launch and "launch" in each.scopes]
        if len(some) < AT_ONCE:
            break
        after = some[-1].id
    return sorted(found, key=lambda each: each.name)

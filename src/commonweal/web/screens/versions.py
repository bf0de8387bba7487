"""The versions of a resource, deleted ones too, and what changed between any two of them."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Scope, Stored
from commonweal.platform.work import Work
from commonweal.web import page
from commonweal.web.record.changes import changes as compared
from commonweal.web.record.line import line
from commonweal.web.record.values import Json
from commonweal.web.screens import loading
from commonweal.web.screens.opening import number

PAGE = 50


async def listed(work: Work, request: Request) -> Response:
    """Newest first; two may be chosen to compare."""
    type, id = loading.named(request)
    cursor = request.query_params.get("cursor")
    found = await work.history(Scope(type, id, count=PAGE, cursor=cursor))
    if not found.matches:
        raise Problem.not_found(type, id)
    newest = next((each for each in found.matches if not each.deleted), None)
    return page.render(
        request,
        "versions.html",
        stored=found.matches[0],
        line=line(codec.parse(newest.body)) if newest else None,
        versions=found.matches,
        following=page.address(request.url.path, cursor=found.next) if found.next else "",
    )


async def changes(work: Work, request: Request) -> Response:
    """From the older to the newer of two versions, whichever way they were chosen."""
    type, id = loading.named(request)
    older, newer = sorted((number(request, "from"), number(request, "to")))
    before, after = await _version(work, type, id, older), await _version(work, type, id, newer)
    titled = after[1] or before[1]
    return page.render(
        request,
        "changes.html",
        stored=after[0] or before[0],
        line=line(titled) if titled else None,
        older=older,
        newer=newer,
        before=before[0],
        after=after[0],
        changes=compared(before[1], after[1]),
        type=type,
        id=id,
    )


async def _version(work: Work, type: str, id: str, version: int) -> tuple[Stored | None, Json]:
    """A version and its JSON; of a deleted one neither."""
    try:
        return await loading.read(work, type, id, version)
    except Problem as problem:
        if problem.status != 410:
            raise
        return None, {}

"""What is said when a page cannot be shown: what happened, and what to do now."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.web import page
from commonweal.web.language import gettext as _

SEVERE = 500


def told(request: Request, problem: Problem) -> Response:
    """The page for a problem, with its own status."""
    title, advice = _sentences(problem.status)
    reasons = [] if problem.status in (404, 410) else [issue.diagnostics for issue in problem.issues[:5]]
    versions = _versions(request) if problem.status == 410 else ""
    answer = page.render(
        request,
        "error.html",
        problem.status,
        heading=title,
        advice=advice,
        reasons=reasons,
        versions=versions,
    )
    if problem.retry_after or problem.status == 503:
        answer.headers["retry-after"] = str(problem.retry_after or 5)
    return answer


def _versions(request: Request) -> str:
    """Where the versions of what was deleted are; "" where the address does not tell."""
    type, id = request.path_params.get("type"), request.path_params.get("id")
    if type is None and request.url.path.startswith("/people/"):
        type = "Patient"
    return f"/record/{type}/{id}/versions" if type and id else ""


def _sentences(status: int) -> tuple[str, str]:
    known = {
        400: (_("That cannot be understood"), _("Check what you entered and try again.")),
        401: (_("Sign in first"), _("Your session has ended, or you act in no role now.")),
        403: (
            _("You may not see this page"),
            _("If you need it for your work, ask the person who runs this installation for the permission."),
        ),
        404: (
            _("There is nothing here"),
            _(
                "Check the address, or look for the person or the record by a search. It may also be out of your reach."
            ),
        ),
        405: (_("That cannot be done here"), _("Go back and use the buttons of the page.")),
        408: (_("That took too long to arrive"), _("Try again, perhaps where the line is better.")),
        409: (_("Somebody was first"), _("Open the page again and see how things stand now.")),
        410: (
            _("This record has been deleted"),
            _("Its earlier versions are kept. Nobody can change them."),
        ),
        413: (_("That is too large"), _("Send less at a time.")),
        429: (_("Too many tries"), _("Wait a little, then try again.")),
        503: (
            _("The record is not available at the moment"),
            _("Nothing is lost. Wait a moment, then load the page again."),
        ),
    }
    default = (
        _("Something went wrong on our side"),
        _("Nothing was changed. Try again; if it happens again, tell the person who runs this installation."),
    )
    return known.get(status, known[400] if status < SEVERE else default)

"""Every request passes here: who it is, in which language, whether a form is ours; and what every answer carries."""

import gzip
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive

from commonweal.access.agent import ANONYMOUS, Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import agents
from commonweal.platform.service import Page
from commonweal.web import errors, page, signed, site
from commonweal.web.language import Language, speaking
from commonweal.web.site import Site
from commonweal.web.viewer import THEMES, Viewer
from commonweal.web.viewer import of as viewer_of

SESSION, STEP, LANGUAGE, THEME = "commonweal", "step", "language", "theme"
"""Cookies; that of a sign-in on its way holds a handle, as that of a session does."""
A_YEAR = 365 * 24 * 3600
FORM_BYTES = 1_000_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "vary": "accept-encoding, accept-language, cookie",
}
PLACE = re.compile(r"[a-z][a-z0-9+.-]*:(//[A-Za-z0-9.:\[\]-]+)?")
"""An origin or scheme to which the form of one page may lead besides."""
LOCAL = re.compile(r"/(?![/\\])[^\s\\]{0,2000}")
Endpoint = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("commonweal.web")


def endpoint(each: Page) -> Endpoint:
    """A page as Starlette runs it: in a work of its own, permitted, its failures told in a calm way."""

    async def permitted(request: Request) -> Response:
        viewer = viewer_of(request)
        if viewer.agent is None:
            return page.redirect(page.address("/sign-in", next=_asked(request)))
        here = site.of(request)
        single = request.method in ("GET", "HEAD")
        async with here.platform.work(viewer.agent, request.state.id, single=single) as work:
            decision = work.may(each.permission)
            if not decision and each.path == "/":
                return page.redirect(_home(request))
            await work.require(each.permission)
            answer = await each.run(work, request)
            assert isinstance(answer, Response)
            return answer

    return open_to_all(permitted)


def _home(request: Request) -> str:
    """Where somebody begins who has nobody's record to open: the first page of their menu."""
    here, agent = site.of(request), viewer_of(request).agent
    offered = (each.path for each in here.pages if each.menu and agent and here.may(agent, each.permission))
    return next(offered, "/me")


def open_to_all(run: Endpoint) -> Endpoint:
    """A page that needs nobody to be signed in."""

    async def entered(request: Request) -> Response:
        here = site.of(request)
        request.state.id = here.platform.new_id()
        request.state.viewer = viewer = await _viewer(request)
        with speaking(viewer.language):
            if request.method == "GET" and (chosen := _chosen(here, request)):
                return chosen
            return _finished(request, await _answered(run, request))

    return entered


async def _answered(run: Endpoint, request: Request) -> Response:
    try:
        _admit(request)
        if request.method not in ("GET", "HEAD"):
            await _check_form(request)
        return await run(request)
    except Problem as problem:
        return errors.told(request, problem)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        log.exception("page failed", request=request.state.id, path=request.url.path)
        return errors.told(
            request, Problem.of("cw-exception", why=f"please quote request {request.state.id}")
        )


def _admit(request: Request) -> None:
    """The front counts the requests of each agent; Problem 429 when there are too many."""
    agent, admit = viewer_of(request).agent, request.scope.get("admit")
    if agent is not None and admit is not None:
        admit(agent)


async def _viewer(request: Request) -> Viewer:
    here, cookies = site.of(request), request.cookies
    language = here.languages.named(cookies.get(LANGUAGE, "")) or here.languages.accepted(
        request.headers.get("accept-language", "")
    )
    theme = cookies.get(THEME, "")
    viewer = Viewer(None, language, theme if theme in THEMES else "")
    session = cookies.get(cookie(request, SESSION), "")
    if not session:
        return viewer
    try:
        agent = replace(await authenticated(here, session), address=signed.peer(request))
        return replace(viewer, agent=None if agent.has(ANONYMOUS) else agent, session=session)
    except Problem as problem:
        if problem.status != 401:
            raise
        return replace(viewer, expired=True)


async def authenticated(here: Site, session: str) -> Agent:
    """Who is behind this cookie: a session, else a token of the command line (whose parts stand between dots);
    Problem 401 when it is neither, or has ended."""
    if here.identity is None or "." in session:
        return here.authenticate(session)
    return await agents.of_session(here.identity, session)


def _chosen(here: Site, request: Request) -> Response | None:
    """`?language=` and `?theme=` on any page are remembered, and the page is asked again without them."""
    query = request.query_params
    language: Language | None = here.languages.named(query.get(LANGUAGE, ""))
    theme = query.get(THEME)
    if language is None and theme is None:
        return None
    kept = urlencode([(k, v) for k, v in query.multi_items() if k not in (LANGUAGE, THEME)])
    answer = page.redirect(local(request.url.path + (f"?{kept}" if kept else "")))
    if language is not None:
        _remember(here, answer, LANGUAGE, language.tag)
    if theme is not None:
        _remember(here, answer, THEME, theme if theme in THEMES else "")
    return answer


def _remember(here: Site, answer: Response, name: str, value: str) -> None:
    answer.set_cookie(name, value, max_age=A_YEAR, secure=here.secure, httponly=True, samesite="lax")


def open_session(request: Request, answer: Response, value: str) -> None:
    """The session lives in a cookie that no script can read and no other site can have sent with a form."""
    set_cookie(request, answer, SESSION, value)
    delete_cookie(request, answer, STEP)


def close_session(request: Request, answer: Response) -> None:
    """The browser forgets the session; that it ends here too is told by `identity.sessions`."""
    delete_cookie(request, answer, SESSION)


def cookie(request: Request, name: str) -> str:
    """The name under which browsers keep it: where people come by https, one that only this very host can set."""
    return f"__Host-{name}" if _is_secure(request) else name


def set_cookie(request: Request, answer: Response, name: str, value: str) -> None:
    """A cookie for as long as the browser is open."""
    answer.set_cookie(cookie(request, name), value, secure=_is_secure(request), httponly=True, samesite="lax")


def delete_cookie(request: Request, answer: Response, name: str) -> None:
    """The browser forgets it."""
    answer.delete_cookie(cookie(request, name), secure=_is_secure(request), httponly=True, samesite="lax")


def _is_secure(request: Request) -> bool:
    return site.of(request).secure or request.url.scheme == "https"


async def _check_form(request: Request) -> None:
    """A form is taken only from a page of ours; Problem 403 else, 413 when it is too large, 400 when it is none."""
    if not _is_from_here(request):
        raise Problem.forbidden(["the form was sent from another site"])
    bounded = Request(request.scope, _bounded(request.receive))
    try:
        form = await bounded.form()
    except HTTPException as error:
        raise Problem.invalid(f"the form cannot be read ({error.detail.rstrip('.')})") from error
    request._form = form
    viewer = viewer_of(request)
    if viewer.agent is not None and not viewer.wrote(str(form.get("form", ""))):
        raise Problem.forbidden(["the form is older than this session; open the page again"])


def _is_from_here(request: Request) -> bool:
    """By what browsers tell of the page that sends; an old one tells its origin at most, and a machine nothing."""
    told = request.headers.get("sec-fetch-site")
    if told is not None:
        return told in ("same-origin", "none")
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host", "")


def _bounded(receive: Receive) -> Receive:
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > FORM_BYTES:
            raise Problem.too_large(FORM_BYTES)
        return message

    return receiving


def local(path: str) -> str:
    """The path, if it leads to a page of ours; else the first page: nobody is sent elsewhere from here."""
    parts = urlsplit(path) if LOCAL.fullmatch(path) else None
    return path if parts and not parts.scheme and not parts.netloc else "/"


def _asked(request: Request) -> str:
    """Where to return after sign-in."""
    if request.method != "GET":
        return "/"
    query = request.url.query
    return local(request.url.path + (f"?{query}" if query else ""))


def _finished(request: Request, answer: Response) -> Response:
    answer.headers.update(HEADERS)
    places = [each for each in getattr(request.state, "form_action", "").split() if PLACE.fullmatch(each)]
    if places:
        answer.headers["content-security-policy"] = POLICY.replace(
            "form-action 'self'", f"form-action 'self' {' '.join(places)}"
        )
    answer.headers["x-request-id"] = request.state.id
    answer.headers["content-language"] = viewer_of(request).language.tag
    if "gzip" in request.headers.get("accept-encoding", "") and len(answer.body) > 1000:
        answer.body = gzip.compress(answer.body, 5, mtime=0)
        answer.headers["content-encoding"] = "gzip"
        answer.headers["content-length"] = str(len(answer.body))
    if isinstance(answer, RedirectResponse):
        del answer.headers["content-language"]
    return answer

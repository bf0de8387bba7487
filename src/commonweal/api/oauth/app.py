"""The addresses of OAuth and SMART as one ASGI application."""

from collections.abc import Awaitable, Callable

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from commonweal.api.oauth import authorize, documents, tokens
from commonweal.api.oauth.answers import refusal
from commonweal.api.oauth.desk import Authenticate, Desk, Registers
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.identity.oauth.keysets import Fetch, Keysets
from commonweal.identity.oauth.refused import Refused

Handler = Callable[[Request], Awaitable[Response]]
UNDER_FHIR = "/fhir/.well-known/"
logger = structlog.get_logger("commonweal.oauth")


def is_here(path: str) -> bool:
    """Is that address answered by this application?"""
    return path.startswith(("/oauth/", "/.well-known/", UNDER_FHIR))


def app(identity: Identity, authenticate: Authenticate, registers: Registers, fetch: Fetch) -> Starlette:
    """The application. `authenticate` tells who asks to register an app, `registers` whether they may (the policy's
    answer for the permission `access.apps`); `fetch` gets the keys of clients (external/keysets.py)."""
    shown = Starlette(routes=_routes())
    shown.state.desk = Desk(identity, Keysets(fetch), authenticate, registers)
    return shown


def _routes() -> list[Route]:
    get, post = ["GET"], ["POST"]
    return [
        _route("/oauth/authorize", authorize.begin, ["GET", "POST"]),
        _route("/oauth/token", tokens.exchange, post),
        _route("/oauth/introspect", tokens.introspect, post),
        _route("/oauth/revoke", tokens.revoke, post),
        _route("/oauth/register", tokens.register, post),
        _route("/oauth/keys", documents.keys, get),
        _route(f"{UNDER_FHIR}smart-configuration", documents.smart, get),
        _route("/.well-known/smart-configuration", documents.smart, get),
        _route("/.well-known/openid-configuration", documents.openid, get),
        _route("/.well-known/oauth-authorization-server", documents.openid, get),
    ]


def _route(path: str, handler: Handler, methods: list[str]) -> Route:
    return Route(path, _answered(handler), methods=methods)


def _answered(handler: Handler) -> Handler:
    async def answering(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return refusal(refused, request.headers.get("authorization", ""))
        except Problem as problem:
            return refusal(_as_app_reads_it(problem))
        except Exception:
            logger.exception("request failed", path=request.url.path)
            return refusal(Refused("server_error", "something went wrong on our side", 500))

    return answering


def _as_app_reads_it(problem: Problem) -> Refused:
    errors = {401: "invalid_token", 403: "access_denied"}
    otherwise = "temporarily_unavailable" if problem.status >= 500 else "invalid_request"
    return Refused(errors.get(problem.status, otherwise), str(problem), problem.status)

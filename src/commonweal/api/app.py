"""The ASGI application: from a request to its answer, whatever happens in between."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from commonweal.access.agent import ANONYMOUS, Agent
from commonweal.api import route as routes
from commonweal.api.answer import FHIR_JSON, Answer, Header, Send, refusal, send_answer
from commonweal.api.audit import telling as audit
from commonweal.api.body import Receive, read_body
from commonweal.api.bulk.shelf import Shelf
from commonweal.api.interactions import INTERACTIONS
from commonweal.api.limits import Limits
from commonweal.api.negotiate import check_accept, check_format
from commonweal.api.request import REQUEST_ID, Authenticate, Request, Scope, Site, segments_of
from commonweal.fhir.outcome import Problem
from commonweal.platform.platform import Platform
from commonweal.platform.work import Work

HOST = re.compile(rb"[A-Za-z0-9.:\[\]-]{1,255}")
NOBODY = Agent("anonymous", frozenset({ANONYMOUS}))
BODIES = frozenset({"POST", "PUT", "PATCH"})
EXPOSED = b"ETag, Location, Content-Location, Last-Modified, X-Request-Id, Retry-After, X-Progress"
TAKEN = (
    b"Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, "
    b"Prefer, X-Request-Id"
)

logger = structlog.get_logger("commonweal.api")


class Api:
    """The FHIR interface below one prefix. Every request gets an id, every failure an OperationOutcome."""

    def __init__(self, site: Site, prefix: str = "/fhir") -> None:
        self.site = site
        self.prefix = prefix
        self.site.perform = self.perform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        id = _request_id(headers) or self.site.platform.new_id()
        try:
            answer = await self._answer(scope, headers, id, receive)
        except Problem as problem:
            answer = refusal(problem)
        except Exception:
            logger.exception("request failed", request=id, method=scope["method"])
            answer = refusal(Problem.of("cw-exception", why=f"please quote request {id}"))
        if answer.status == 405:
            answer.headers.append((b"allow", self._methods(scope)))
        if self.site.origins:
            answer.headers += self._cross_origin(headers)
        await send_answer(
            answer,
            send,
            id,
            self.site.limits,
            gzipped=b"gzip" in headers.get(b"accept-encoding", b""),
            bodiless=scope["method"] == "HEAD",
        )

    async def perform(self, request: Request, work: Work | None = None) -> Answer:
        """Do what a request asks: in a work of its own, or in the one given (an entry of a transaction)."""
        route = routes.find(request.method, request.segments)
        run = audit.handler(route.name, request) or INTERACTIONS[route.name]
        if work is not None:
            return await run(request, work)
        agent = request.agent or NOBODY
        return await self.site.platform.run(
            agent, lambda own: run(request, own), request.id, single=route.single
        )

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], id: str, receive: Receive) -> Answer:
        limits = self.site.limits
        _check_lengths(scope, limits)
        request = self._request(scope, headers, id)
        if request.method == "OPTIONS":
            return self._options(scope)
        route = routes.find(request.method, request.segments)
        if route.fhir:
            check_accept(headers.get(b"accept", b"") if not request.query else _accepted(request, headers))
        if not route.public:
            request.agent = await self.site.authenticate(scope)
        if request.method in BODIES:
            request.take(await read_body(headers, receive, limits))
        answer = await self.perform(request)
        if request.query and request.value("_pretty") == "true" and answer.body and answer.media == FHIR_JSON:
            answer.body = msgspec.json.format(answer.body, indent=2)
        return answer

    def _request(self, scope: Scope, headers: dict[bytes, bytes], id: str) -> Request:
        path: str = scope["path"].removeprefix(self.prefix)
        base = self.site.base_url or _base(scope, headers, self.prefix)
        return Request(
            self.site, scope["method"], segments_of(path), scope["query_string"], headers, id=id, base=base
        )

    def _methods(self, scope: Scope) -> bytes:
        segments = segments_of(scope["path"].removeprefix(self.prefix))
        return b"GET, HEAD, OPTIONS" if audit.is_told(segments) else routes.allowed(segments).encode()

    def _options(self, scope: Scope) -> Answer:
        answer, methods = Answer(204), self._methods(scope)
        answer.headers.append((b"allow", methods))
        if self.site.origins:
            answer.headers.append((b"access-control-allow-methods", methods))
            answer.headers.append((b"access-control-allow-headers", TAKEN))
        return answer

    def _cross_origin(self, headers: dict[bytes, bytes]) -> Iterable[Header]:
        """CORS for the origins that boot names: https://fetch.spec.whatwg.org/#http-cors-protocol."""
        origin = headers.get(b"origin", b"")
        if origin.decode("latin-1") not in self.site.origins:
            return [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED),
            (b"vary", b"Origin"),
        ]


def app(
    platform: Platform,
    authenticate: Authenticate,
    base_url: str = "",
    limits: Limits | None = None,
    origins: Iterable[str] = (),
    prefix: str = "/fhir",
    exports: Shelf | None = None,
) -> Api:
    """The interface as an ASGI application; `base_url` is the whole FHIR base, "" to take it as asked."""
    site = Site(platform, authenticate, base_url.rstrip("/"), limits or Limits(), frozenset(origins), exports)
    return Api(site, prefix)


def _request_id(headers: dict[bytes, bytes]) -> str | None:
    """The caller's own id of the request, where it is fit to be kept and echoed."""
    given = headers.get(b"x-request-id")
    if given is not None and REQUEST_ID.fullmatch(text := given.decode("latin-1")):
        return text
    return None


def _check_lengths(scope: Scope, limits: Limits) -> None:
    if len(scope["path"]) + len(scope["query_string"]) > limits.url_bytes:
        raise Problem.of("cw-url-too-long", limit=limits.url_bytes)
    if sum(len(name) + len(value) for name, value in scope["headers"]) > limits.header_bytes:
        raise Problem.of("cw-headers-too-long", limit=limits.header_bytes)


def _accepted(request: Request, headers: dict[bytes, bytes]) -> bytes:
    """`_format` overrides the Accept header: https://hl7.org/fhir/R4/http.html#parameters."""
    wanted = request.value("_format")
    if wanted is None:
        return headers.get(b"accept", b"")
    check_format(wanted)
    return b""


def _base(scope: Scope, headers: dict[bytes, bytes], prefix: str) -> str:
    host = headers.get(b"host", b"localhost")
    if not HOST.fullmatch(host):
        raise Problem.invalid("the Host header is not the name of a host")
    root: Any = scope.get("root_path", "").removesuffix(prefix)
    return f"{scope['scheme']}://{host.decode('ascii')}{root}{prefix}"

"""The guard at the front: every request is looked at here, first and cheaply."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commonweal.access.agent import Agent
from commonweal.boot.front import origins, shapes
from commonweal.boot.front.bodies import in_time
from commonweal.boot.front.headers import Header, completed
from commonweal.boot.front.hosts import Hosts
from commonweal.boot.front.origins import Allowed
from commonweal.boot.front.proxies import Proxies, counted_as, is_this_machine
from commonweal.boot.front.rates import Crowds, Rates
from commonweal.boot.front.refusals import refuse
from commonweal.boot.http import Application, Receive, Scope, Send
from commonweal.fhir.outcome import Problem

BODIES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def nobody(origin: str) -> bool:
    """The pages of no other site."""
    return False


@dataclass(frozen=True)
class Guard:
    """What the front asks for. `rate_…` are requests a second, on average, in each worker, `burst_…` those in one
    moment, `open_address` those open at a time; 0: no limit. What comes from this machine itself is not limited."""

    hosts: Hosts = field(default_factory=Hosts)
    proxies: Proxies = field(default_factory=Proxies)
    allowed: Allowed = nobody
    rate_address: int = 200
    burst_address: int = 1000
    open_address: int = 1000
    rate_agent: int = 100
    burst_agent: int = 1000
    url_bytes: int = 16_384
    header_bytes: int = 32_768
    body_seconds: float = 60.0


def guarded(app: Application, guard: Guard) -> Application:
    """The application behind the guard. It finds in the scope: `client` and `scheme` as they are beyond our proxies,
    and `admit`, to be called with the agent once it is known (Problem 429 when it asks too often)."""
    return _Front(app, guard)


class _Front:
    def __init__(self, app: Application, guard: Guard) -> None:
        self._app = app
        self._guard = guard
        self._addresses = Rates(guard.rate_address, guard.burst_address)
        self._agents = Rates(guard.rate_agent, guard.burst_agent)
        self._crowds = Crowds(guard.open_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        guard, path, method = self._guard, scope["path"], scope["method"]
        named: dict[bytes, bytes] = dict(scope["headers"])
        more: Sequence[Header] = origins.answer_for(path, named, guard.allowed)
        peer: str = scope["client"][0] if scope.get("client") else ""
        if guard.proxies:
            self._beyond_proxies(scope, peer, named)
        answering = _Answering(send, more, scope["scheme"] == "https")
        caller = self._caller(scope, named)
        problem, wait = self._fault(scope, named, caller)
        if problem is not None:
            await refuse(answering, path, problem, wait)
        elif origins.is_preflight(method, named):
            await answering({"type": "http.response.start", "status": 204, "headers": [*origins.PREFLIGHT]})
            await answering({"type": "http.response.body", "body": b""})
        else:
            if method in BODIES and not path.startswith("/fhir"):  # whose reader of bodies keeps time itself
                receive = in_time(receive, guard.body_seconds)
            await self._pass(scope, receive, answering, caller)

    async def _pass(self, scope: Scope, receive: Receive, answering: "_Answering", caller: str) -> None:
        if not caller:
            return await self._answered(scope, receive, answering)
        if not self._crowds.enter(caller):
            crowded = Problem.of("cw-throttled", why="too many requests from this address are open")
            return await refuse(answering, scope["path"], crowded, 1.0)
        scope["admit"] = self._admit
        try:
            await self._answered(scope, receive, answering)
        finally:
            self._crowds.leave(caller)

    async def _answered(self, scope: Scope, receive: Receive, answering: "_Answering") -> None:
        try:
            await self._app(scope, receive, answering)
        except Problem as problem:
            if answering.started:
                raise
            await refuse(answering, scope["path"], problem)

    def _beyond_proxies(self, scope: Scope, peer: str, named: Mapping[bytes, bytes]) -> None:
        proxies, port = self._guard.proxies, scope["client"][1] if scope.get("client") else 0
        scope["client"] = (proxies.address(peer, named), port)
        scope["scheme"] = proxies.scheme(peer, named, scope["scheme"])

    def _caller(self, scope: Scope, named: Mapping[bytes, bytes]) -> str:
        """The name under which the asking address is counted; "" for this machine itself, unless a proxy that we
        were not told of speaks for others."""
        address: str = scope["client"][0] if scope.get("client") else ""
        if is_this_machine(address) and b"x-forwarded-for" not in named and b"forwarded" not in named:
            return ""
        return counted_as(address) or "unknown"

    def _fault(self, scope: Scope, named: Mapping[bytes, bytes], caller: str) -> tuple[Problem | None, float]:
        guard = self._guard
        if caller and (wait := self._addresses.wait(caller)):
            return Problem.of("cw-throttled", why="too many come from this address"), wait
        fault = shapes.fault(scope, named, guard.url_bytes, guard.header_bytes)
        if fault is None and not guard.hosts.answers(named.get(b"host", b"")):
            fault = shapes.misdirected()
        return fault, 0.0

    def _admit(self, agent: Agent) -> None:
        """Count a request of this agent; Problem 429 when it asks too often."""
        if self._agents.wait(f"{agent.id} {agent.client}"):
            raise Problem.of("cw-throttled", why="you ask too often")

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Life of the server passes; connections of other kinds (web sockets) are closed: nothing here speaks them."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


class _Answering:
    """Sends an answer with the headers that every answer carries."""

    __slots__ = ("_by_tls", "_more", "_send", "started")

    def __init__(self, send: Send, more: Sequence[Header], by_tls: bool) -> None:
        self._send = send
        self._more = more
        self._by_tls = by_tls
        self.started = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = completed(message.get("headers", ()), self._more, self._by_tls)
        await self._send(message)

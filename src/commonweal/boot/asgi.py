"""One web worker: the application of `commonweal serve`, run as a child of it."""

import asyncio
import gc
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import structlog

from commonweal import api, web
from commonweal.api import oauth
from commonweal.boot import discovery, http
from commonweal.boot.assembly import opened
from commonweal.boot.bearer import Bearer
from commonweal.boot.front import guarded
from commonweal.boot.front.guard import nobody
from commonweal.boot.front.origins import Allowed
from commonweal.boot.http import Application, Receive, Scope, Send
from commonweal.boot.logs import set_up_logs
from commonweal.boot.processes import announce_ready, follow_parent, inherited_listener
from commonweal.boot.settings import Settings
from commonweal.external.keysets import KeysetFetcher
from commonweal.identity.oauth.clients import Origins
from commonweal.identity.permissions import APPS
from commonweal.store import status

log = structlog.get_logger()


class Front:
    """Opens the platform at start-up and hands each request to the machines' or the people's side."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()
        self._api: Application = _not_ready
        self._web: Application = _not_ready
        self._oauth: Application = _not_ready
        self._origins: Allowed = nobody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await self._side(scope["path"])(scope, receive, send)

    def allows(self, origin: str) -> bool:
        """May a page of this origin, of a registered app, ask us?"""
        return self._origins(origin)

    def _side(self, path: str) -> Application:
        if oauth.is_here(path):
            return self._oauth
        return self._api if path == "/fhir" or path.startswith("/fhir/") else self._web

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            log.exception("start failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._open.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        assembly = await self._open.enter_async_context(opened(self._settings, migrate=False))
        base = self._settings.base_url and self._settings.base_url.rstrip("/") + "/fhir"
        limits = api.Limits(body_bytes=self._settings.body_megabytes * 1_000_000)
        exports = self._settings.exports
        bearer = Bearer(assembly.tokens, assembly.identity)
        self._api = api.app(assembly.platform, bearer, base, limits, exports=exports)
        self._origins = await self._following(Origins(assembly.identity))
        fetcher = KeysetFetcher()
        self._open.push_async_callback(fetcher.close)
        registers = partial(assembly.platform.catalogue.policy.has, permission=APPS)
        self._oauth = oauth.app(assembly.identity, bearer, registers, fetcher)
        self._web = web.app(
            assembly.platform,
            assembly.tokens.agent,
            partial(status.told, assembly.store.pool),
            folders={each.name: discovery.folder(each.name) for each in discovery.services()},
            language=self._settings.language,
            secure=self._settings.address.startswith("https:"),
            identity=assembly.identity,
        )
        gc.collect()
        gc.freeze()  # what was made by now stays for good: the collector need not look at it again and again

    async def _following(self, origins: Origins) -> Origins:
        await origins.look()
        self._open.callback(asyncio.create_task(origins.follow()).cancel)
        return origins


async def _not_ready(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"1")]})
    await send({"type": "http.response.body", "body": b"starting"})


def main() -> None:
    """The child process: serves on the listener inherited from its parent until told to stop."""
    follow_parent()
    settings = Settings.read()
    set_up_logs(settings.log_level)
    listener = inherited_listener()
    if listener is None:
        raise SystemExit("this is a part of commonweal serve; start that instead")
    front = Front(settings)
    guard = replace(settings.guard, allowed=front.allows)
    http.run(guarded(front, guard), listener, tls=settings.tls, on_ready=announce_ready)


if __name__ == "__main__":
    main()

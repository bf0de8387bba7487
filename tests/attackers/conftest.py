"""What attackers attack: the whole front over a record in memory, and a real server on a socket."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal import api
from commonweal.access.agent import Agent
from commonweal.api import oauth
from commonweal.boot.bearer import Bearer
from commonweal.boot.front import Guard, guarded
from commonweal.boot.tokens import Tokens
from commonweal.boot.trial import Trial
from commonweal.identity.oauth.keysets import Fetched
from commonweal.identity.permissions import APPS
from commonweal.platform.ports import Audited

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "src/commonweal/web/static/built/manifest.json"
PROGRAM = ROOT / "tests/boot/listening_program.py"
KEY = b"the key that no attacker knows.."


class Target:
    """Machines' and people's side behind the guard, as boot puts them together."""

    def __init__(self, trial: Trial, guard: Guard | None = None) -> None:
        self.trial = trial
        self.tokens = Tokens(KEY)
        self._agents: dict[str, Agent] = {}
        bearer = self._who(Bearer(self.tokens, trial.identity))
        machines = api.app(trial.platform, bearer, limits=api.Limits(body_bytes=2_000_000))
        apps = oauth.app(
            trial.identity, bearer, partial(trial.platform.catalogue.policy.has, permission=APPS), _fetch
        )
        pages: Any = trial.pages(self.tokens.agent)

        async def one(scope: Any, receive: Any, send: Any) -> None:
            path = scope["path"]
            side = machines if path == "/fhir" or path.startswith("/fhir/") else pages
            await (apps if oauth.is_here(path) else side)(scope, receive, send)

        self.app = guarded(one, guard or Guard())

    def _who(self, bearer: Bearer) -> Callable[[Any], Awaitable[Agent]]:
        async def who(scope: Any) -> Agent:
            token = (
                dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ")
            )
            return self._agents.get(token) or await bearer(scope)

        return who

    def token_of(self, agent: Agent) -> str:
        """What stands for this very agent, however its like get their tokens."""
        token = f"of {agent.id} in {sorted(agent.roles)} {len(self._agents)}"
        self._agents[token] = agent
        return token

    def token(self, role: str = "operator") -> str:
        """A good token."""
        return self.tokens.issue(role, 5)

    def client(
        self, token: str = "", session: str = "", address: str = "203.0.113.9", **headers: str
    ) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        """Somebody who asks, with a bearer token or the cookie of a session."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 4711)),
            base_url="http://localhost",
            headers=bearer | headers,
            cookies={"commonweal": session} if session else {},
        )

    def rows(self) -> list[Audited]:
        """All that was audited."""
        return [row for _, row in self.trial.store.audited]

    def refused_row(self, interaction: str) -> Audited:
        """The row of the last request, which asked for this and was refused."""
        row = self.rows()[-1]
        assert row.interaction == interaction and 400 <= row.outcome < 500, row
        return row


async def _fetch(address: str) -> Fetched:
    raise OSError("nothing is fetched here")


@pytest.fixture
def target(trial: Trial) -> Target:
    """A platform to attack."""
    if not BUILT.is_file():
        pytest.skip("NOT RUN: the pages are not built (make setup)")
    return Target(trial)


@pytest.fixture(scope="module")
def served() -> Iterator[int]:
    """The port of a guarded application behind the real server."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.kill()
    process.wait(30)

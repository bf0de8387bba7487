"""What every page can reach: the platform, the catalogues of languages, the built files and the templates."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment
from starlette.requests import Request

from commonweal.access.agent import Agent
from commonweal.identity.house import Identity
from commonweal.platform.platform import Platform
from commonweal.platform.service import Page
from commonweal.platform.status import Status
from commonweal.web.assets import Assets
from commonweal.web.language import Languages

Authenticate = Callable[[str], Agent]
"""Who holds this token of the command line; Problem 401 when it is not ours or has expired."""


@dataclass(slots=True)
class Site:
    """One mounted set of pages. `folders` are the services' own, by name; `secure`: people come by https.

    `identity`: accounts, sessions and apps; without it a token of the command line is the only way in.
    """

    platform: Platform
    authenticate: Authenticate
    status: Callable[[], Awaitable[Status]]
    languages: Languages
    assets: Assets
    folders: Mapping[str, Path] = field(default_factory=dict)
    secure: bool = False
    identity: Identity | None = None
    pages: tuple[Page, ...] = ()
    templates: Environment = field(init=False)

    def may(self, agent: Agent, permission: str) -> bool:
        """Shall somebody be offered what takes this permission? The page itself asks again."""
        policy = self.platform.catalogue.policy
        return permission in policy.permissions and bool(policy.has(agent, permission))


def of(request: Request) -> Site:
    """The site a request came to."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site

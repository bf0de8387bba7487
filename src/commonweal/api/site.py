"""What every handler can reach: the platform, the limits and the one way to perform a request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

from commonweal.access.agent import Agent
from commonweal.api.limits import Limits
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.platform.work import Work

if TYPE_CHECKING:
    from commonweal.api.answer import Answer
    from commonweal.api.request import Request, Scope
    from commonweal.api.route import Routes

Authenticate = Callable[["Scope"], Awaitable[Agent]]
Perform = Callable[["Request", Work | None], Awaitable["Answer"]]


@dataclass(slots=True)
class Site:
    """One mounted interface. `base_url` is where others reach it, "" to take it from each request;
    `origins` are those whose pages may call it (CORS), none unless set; `perform` is set by the app."""

    platform: Platform
    authenticate: Authenticate
    routes: "Routes"
    base_url: str = ""
    limits: Limits = field(default_factory=Limits)
    origins: frozenset[str] = frozenset()
    perform: Perform = field(init=False)
    kept: dict[str, Any] = field(default_factory=dict)
    version: str = field(default_factory=lambda: metadata.version("commonweal"))

    @property
    def catalogue(self) -> Catalogue:
        """All that the services declare."""
        return self.platform.catalogue

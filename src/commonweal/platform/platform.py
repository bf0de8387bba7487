"""The platform as boot puts it together: the catalogue, the store and the few things that touch the world."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from commonweal.access.agent import Agent
from commonweal.fhir.search.query import Query, parse
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.ports import Store
from commonweal.platform.signal import Signal
from commonweal.platform.unit import Unit


@dataclass(frozen=True, slots=True)
class Platform:
    """Handed to api, web and handlers; everything they do begins with `work`."""

    catalogue: Catalogue
    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    signal: Callable[[Signal], Awaitable[None]]
    compute: Callable[..., Awaitable[Any]]

    def work(self, agent: Agent, id: str | None = None, *, single: bool = False) -> Unit:
        """A unit of work, used as `async with platform.work(agent) as work:`; `id` is the request's id."""
        return Unit(self, agent, id or self.new_id(), single)

    def query(self, asked: Query | str) -> Query:
        """A parsed query; "Type?name=value" is read strictly, since it comes from our own code."""
        if isinstance(asked, Query):
            return asked
        type, _, text = asked.partition("?")
        pairs = parse_qsl(text, keep_blank_values=True)
        return parse(type or None, pairs, self.catalogue.registry, lenient=False)

"""The parts of the platform that every unit of work is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from commonweal.fhir.search.query import Query, parse
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.ports import Store
from commonweal.platform.signal import Signal


@dataclass(frozen=True, slots=True)
class Parts:
    """The catalogue, the store and the few things that touch the world, filled in by boot."""

    catalogue: Catalogue
    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    signal: Callable[[Signal], Awaitable[None]]
    compute: Callable[..., Awaitable[Any]]

    def query(self, asked: Query | str) -> Query:
        """A parsed query; "Type?name=value" is read strictly, since it comes from our own code."""
        if isinstance(asked, Query):
            return asked
        type, _, text = asked.partition("?")
        pairs = parse_qsl(text, keep_blank_values=True)
        return parse(type or None, pairs, self.catalogue.registry, lenient=False)

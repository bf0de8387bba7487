"""The parts of the platform that every unit of work is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.platform.catalogue import Catalogue
from commonweal.platform.journal import Journal
from commonweal.platform.ports import Store
from commonweal.platform.signal import Signal


async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """Where there is nobody else to keep waiting."""
    return function(*arguments)


@dataclass(frozen=True, slots=True)
class Parts:
    """The catalogue, the store and the few things that touch the world, filled in by boot.

    `compute` runs a heavy function in a process of its own; `aside` runs one beside the event loop, so that
    what is large keeps nobody else waiting. `journal` tells what was audited, where that is kept.
    """

    catalogue: Catalogue
    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    signal: Callable[[Signal], Awaitable[None]]
    compute: Callable[..., Awaitable[Any]]
    aside: Callable[..., Awaitable[Any]] = at_once
    journal: Journal | None = None

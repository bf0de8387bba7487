"""Searches on PostgreSQL: refused until the compiler of this folder is there."""

from collections.abc import AsyncIterator
from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Page, Stored


class Searching:
    """Says that it cannot search."""

    def __init__(self, *_: Any) -> None:
        return

    async def page(self, *_: Any) -> Page:
        raise Problem.not_supported("the store cannot search yet")

    async def count(self, *_: Any) -> int:
        raise Problem.not_supported("the store cannot search yet")

    async def scan(self, *_: Any) -> AsyncIterator[Stored]:
        raise Problem.not_supported("the store cannot search yet")
        yield

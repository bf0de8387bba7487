"""Reads asked for in the same moment go to the database together."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from commonweal.store.connection import Pools, borrowed

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Fetch = Callable[[Any, Collection[Key]], Awaitable[Mapping[Key, Value]]]
"""Takes a connection and keys, gives what there is by key."""


class Gathered(Generic[Key, Value]):
    """Reads of one kind asked for in one turn of the event loop share a statement; while `ways` statements
    are under way, further ones wait and share the next, so that groups grow with the load."""

    def __init__(self, pools: Pools, fetch: Fetch[Key, Value], ways: int = 2) -> None:
        self._pools = pools
        self._read = fetch
        self._free = ways
        self._asked: list[tuple[Collection[Key], asyncio.Future[Mapping[Key, Value]]]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, keys: Collection[Key]) -> Mapping[Key, Value]:
        """What there is by these keys (and perhaps by others)."""
        loop = asyncio.get_running_loop()
        if not self._asked and self._free:
            loop.call_soon(self._start)
        answer: asyncio.Future[Mapping[Key, Value]] = loop.create_future()
        self._asked.append((keys, answer))
        return await answer

    def _start(self) -> None:
        if self._asked and self._free:
            self._free -= 1
            asked, self._asked = self._asked, []
            task = asyncio.get_running_loop().create_task(self._fetch(asked))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _fetch(
        self, asked: Sequence[tuple[Collection[Key], "asyncio.Future[Mapping[Key, Value]]"]]
    ) -> None:
        try:
            await self._answer(asked)
        finally:
            self._free += 1
            self._start()

    async def _answer(
        self, asked: Sequence[tuple[Collection[Key], "asyncio.Future[Mapping[Key, Value]]"]]
    ) -> None:
        """All together; where that fails each by itself, so that nobody fails for another's sake."""
        try:
            wanted = {key for keys, _ in asked for key in keys}
            async with borrowed(self._pools.work, self._pools.limits) as connection:
                found = await self._read(connection, wanted)
        except Exception as error:
            if len(asked) > 1:
                for each in asked:
                    await self._answer([each])
                return
            for answer in _waiting(answer for _, answer in asked):
                answer.set_exception(error)
        else:
            for answer in _waiting(answer for _, answer in asked):
                answer.set_result(found)


def _waiting(answers: Iterable["asyncio.Future[Any]"]) -> Iterator["asyncio.Future[Any]"]:
    """Those who still wait; a request that was cancelled in the meantime does not."""
    return (answer for answer in answers if not answer.done())

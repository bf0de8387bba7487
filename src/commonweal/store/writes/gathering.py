"""Creates asked for in the same moment share one statement and so one commit, as reads share theirs."""

import asyncio
from collections.abc import Sequence

from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Audited, Change, Stored
from commonweal.store.connection import Pools, borrowed
from commonweal.store.writes.writing import Writer

LARGEST = 64
"""Creates of one statement."""
Asked = tuple[Change, Audited, "asyncio.Future[Stored]"]


class Gathered:
    """Creates of one type. While `ways` statements are under way, further ones wait and share the next, so
    that groups grow with the load and a lone create waits for nobody. Each is answered after the commit; if
    one is at fault the group is undone and each is tried alone."""

    def __init__(self, pools: Pools, writer: Writer, ways: int = 2) -> None:
        self._pools = pools
        self._writer = writer
        self._free = ways
        self._asked: list[Asked] = []
        self._running: set[asyncio.Task[None]] = set()

    async def create(self, change: Change, audited: Audited) -> Stored:
        """The stored version, once it is durable; the Problem that kept it from being so."""
        loop = asyncio.get_running_loop()
        if not self._asked and self._free:
            loop.call_soon(self._start)
        answer: asyncio.Future[Stored] = loop.create_future()
        self._asked.append((change, audited, answer))
        return await answer

    def _start(self) -> None:
        if self._asked and self._free:
            self._free -= 1
            group, self._asked = self._asked[:LARGEST], self._asked[LARGEST:]
            task = asyncio.get_running_loop().create_task(self._write(group))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _write(self, group: Sequence[Asked]) -> None:
        try:
            await self._together(group)
        finally:
            self._free += 1
            self._start()

    async def _together(self, group: Sequence[Asked]) -> None:
        changes = [change for change, _, _ in group]
        try:
            async with borrowed(self._pools.work, self._pools.limits) as connection:
                stored = await self._writer.create(connection, changes, [audited for _, audited, _ in group])
        except Exception as error:
            # One of them is at fault. A database that went away is nobody's: whether it still committed is
            # not known, and tried again an id would seem taken by its own create.
            if len(group) > 1 and isinstance(error, Problem) and error.status < 500:
                for each in group:
                    await self._together([each])
                return
            _settle(group, error)
        else:
            _settle(group, stored)


def _settle(group: Sequence[Asked], result: Sequence[Stored] | Exception) -> None:
    """Answer those who still wait; a request that was cancelled in the meantime does not."""
    for number, (_, _, answer) in enumerate(group):
        if answer.done():
            continue
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result[number])

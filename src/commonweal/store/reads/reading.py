"""Reads by id: those asked for in the same moment go to the database together."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from commonweal.platform.ports import Method, Stored
from commonweal.store.connection import Pools, borrowed
from commonweal.store.reads import circumstances

Connection = Any
Found = Mapping[str, Mapping[str, Any]]
"""Rows by id."""

METHODS: Mapping[str, Method] = {"c": "create", "u": "update", "d": "delete", "f": "found"}
"""What the letter in the column `method` stands for."""
SEEN = "id, version, updated, deleted, method, patient, area, holder, labels, body"
"""What every read fetches: the version itself and what its reach is judged by."""
KNOWN = f"{SEEN}, {circumstances.known('t.patient', 't.area')} as known"
"""The same, with what holds about its patient and place."""


def stored(type: str, row: Mapping[str, Any]) -> Stored:
    """A row of SEEN as a version."""
    return Stored(
        type,
        row["id"],
        row["version"],
        row["updated"],
        row["body"].encode(),
        row["deleted"],
        METHODS[row["method"].decode()],
        row["patient"],
    )


async def current(connection: Connection, type: str, ids: Iterable[str], *, known: bool = False) -> Found:
    """The current rows of these ids, with what holds about their patients where a reach asks for that."""
    picked = KNOWN if known else SEEN
    rows = await connection.fetch(
        f'select {picked} from record."{type}" t where id = any($1::text[])', list(ids)
    )
    return {row["id"]: row for row in rows}


async def held(connection: Connection, type: str, ids: Iterable[str], *, known: bool) -> Found:
    """The same, which nobody else may change until the transaction ends."""
    picked = KNOWN if known else SEEN
    rows = await connection.fetch(
        f'select {picked} from record."{type}" t where id = any($1::text[]) order by id for update of t',
        list(ids),
    )
    return {row["id"]: row for row in rows}


async def version(
    connection: Connection, type: str, id: str, number: int, *, known: bool
) -> Mapping[str, Any] | None:
    """One version, current or superseded."""
    picked = KNOWN if known else SEEN
    row: Mapping[str, Any] | None = await connection.fetchrow(
        f'select {picked} from record."{type}" t where id = $1 and version = $2 union all '
        f'select {picked} from history."{type}" t where id = $1 and version = $2',
        id,
        number,
    )
    return row


class Gathered:
    """Reads of one type asked for in one turn of the event loop share a statement; while `ways` statements
    are under way, further ones wait and share the next, so that groups grow with the load."""

    def __init__(self, pools: Pools, type: str, ways: int = 2) -> None:
        self._pools = pools
        self._type = type
        self._free = ways
        self._asked: list[tuple[Sequence[str], bool, asyncio.Future[Found]]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, ids: Sequence[str], *, known: bool = False) -> Found:
        """The current rows of these ids (and perhaps of others); `known` as soon as anybody asks for that."""
        loop = asyncio.get_running_loop()
        if not self._asked and self._free:
            loop.call_soon(self._start)
        answer: asyncio.Future[Found] = loop.create_future()
        self._asked.append((ids, known, answer))
        return await answer

    def _start(self) -> None:
        if self._asked and self._free:
            self._free -= 1
            asked, self._asked = self._asked, []
            task = asyncio.get_running_loop().create_task(self._fetch(asked))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _fetch(self, asked: Sequence[tuple[Sequence[str], bool, asyncio.Future[Found]]]) -> None:
        answers = [answer for _, _, answer in asked]
        try:
            ids = {id for ids, _, _ in asked for id in ids}
            known = any(each for _, each, _ in asked)
            async with borrowed(self._pools.work, self._pools.limits) as connection:
                found = await current(connection, self._type, ids, known=known)
        except Exception as error:
            for answer in _waiting(answers):
                answer.set_exception(error)
        else:
            for answer in _waiting(answers):
                answer.set_result(found)
        finally:
            self._free += 1
            self._start()


def _waiting(answers: Iterable["asyncio.Future[Found]"]) -> Iterator["asyncio.Future[Found]"]:
    """Those who still wait; a request that was cancelled in the meantime does not."""
    return (answer for answer in answers if not answer.done())

"""The load itself: items to batches to the sink, a few batches in flight, progress told, faults set aside."""

import asyncio
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from commonweal.boot.load.journal import Journal
from commonweal.boot.load.prepare import (
    Named,
    Prepared,
    draft,
    identify,
    is_awaited,
    is_needed,
    is_search,
    links,
)
from commonweal.boot.load.sinks import Sink
from commonweal.boot.load.sources import Item, Source

BATCH = 500
IN_FLIGHT = 3
"""Batches under way: the database works on some while the next is made ready."""
BATCH_BYTES = 8_000_000


@dataclass(slots=True)
class Tally:
    """What has happened so far."""

    types: Counter[str] = field(default_factory=Counter)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0

    @property
    def settled(self) -> int:
        return self.created + self.updated + self.unchanged + self.quarantined


class Found(NamedTuple):
    """An item and which one it is of its file."""

    source: str
    number: int
    item: Item


class Flight(NamedTuple):
    """A write under way, what it writes, and how far the files are settled once it has landed."""

    task: asyncio.Task[None]
    keys: set[str]
    reached: Mapping[str, int]


class Load:
    """One run over a set of files; `tell` is called after every batch."""

    def __init__(
        self, sink: Sink, journal: Journal, quarantine: Path, tell: Callable[[Tally, str], None]
    ) -> None:
        self.tally = Tally()
        self.quarantine = quarantine
        self._sink = sink
        self._journal = journal
        self._tell = tell
        self._flying: deque[Flight] = deque()
        self._faults: IO[bytes] | None = None

    async def run(self, sources: Sequence[Source]) -> Tally:
        """Everything; it may be stopped at any moment and run again."""
        try:
            for batch in _batches(self._found(sources)):
                reached = {found.source: found.number for found in batch}
                await self._write(self._prepare([found.item for found in batch]), reached)
                self._tell(self.tally, Path(batch[-1].source).name)
            await self._land()
            await self._late()
        finally:
            await asyncio.gather(*(flight.task for flight in self._flying), return_exceptions=True)
            if self._faults is not None:
                self._faults.close()
        self._journal.finish()
        return self.tally

    def _found(self, sources: Sequence[Source]) -> Iterator[Found]:
        """What was not settled before; small files share a batch."""
        for source in sources:
            done = self._journal.done(source)
            for number, item in enumerate(source.items(), 1):
                if number > done:
                    yield Found(source.place, number, item)

    def _prepare(self, batch: Sequence[Item]) -> list[Prepared]:
        """Ids first, so that references among the batch resolve; what refers to a url not seen yet waits."""
        named = [each for item in batch if (each := self._named(item)) is not None]
        urls = {url: f"{each.type}/{each.id}" for each in named for url in each.urls}
        if urls:
            self._journal.learn(urls)
        return [p for each in named if (p := self._resolved(each, urls)) is not None]

    def _named(self, item: Item) -> Named | None:
        try:
            if item.error:
                raise ValueError(item.error)
            return identify(item)
        except ValueError as error:
            self._set_aside(item.place, item.body, str(error))
            return None

    def _resolved(self, named: Named, urls: dict[str, str]) -> Prepared | None:
        wanted = links(named.item.body)
        known = {url: urls[url] for url in wanted & urls.keys()}
        known |= self._journal.references(wanted - urls.keys())
        prepared = self._drafted(named, known)
        if prepared is not None and any(is_awaited(url) for url in wanted - known.keys()):
            self._journal.wait([(prepared.place, prepared.draft.resource)])
            return None
        return prepared

    def _drafted(self, named: Named, known: dict[str, str]) -> Prepared | None:
        try:
            return draft(named, known)
        except ValueError as error:
            self._set_aside(named.item.place, named.item.body, str(error))
            return None

    async def _late(self) -> None:
        """What waited: every file has been read, so what is still unknown is a fault of the source, or leads
        elsewhere."""
        waiting = (Found("", 0, Item(place, body)) for place, body in self._journal.waiting())
        for batch in _batches(waiting):
            late = [await self._settled_late(found.item) for found in batch]
            await self._write([prepared for prepared in late if prepared is not None], {})
            self._tell(self.tally, "late references")
        await self._land()

    async def _settled_late(self, item: Item) -> Prepared | None:
        wanted = links(item.body)
        known = self._journal.references(wanted)
        try:
            for url in sorted(wanted - known.keys()):
                if is_search(url):
                    await self._land()
                    known[url] = await self._sink.find(url)
                    self._journal.learn({url: known[url]})
                elif is_needed(url):
                    raise ValueError(f"the reference {url} leads nowhere")
        except ValueError as error:
            self._set_aside(item.place, item.body, str(error))
            return None
        return self._drafted(identify(item), known)

    async def _write(self, prepared: Sequence[Prepared], reached: Mapping[str, int]) -> None:
        """Sends it off; repeats of one id, here or in flight, go one after the other and become versions.

        `reached`: how far each file is settled once this and all before it are.
        """
        parts = _without_repeats(prepared) or [[]]
        for part in parts:
            keys = {f"{p.draft.type}/{p.draft.id}" for p in part}
            if any(keys & flight.keys for flight in self._flying):
                await self._land()
            told = reached if part is parts[-1] else {}
            self._flying.append(Flight(asyncio.create_task(self._send(part)), keys, told))
        while len(self._flying) > IN_FLIGHT:
            await self._land_first()
        await asyncio.sleep(0)

    async def _land(self) -> None:
        """Wait for all in flight."""
        while self._flying:
            await self._land_first()

    async def _land_first(self) -> None:
        """Wait for what was sent first; its failure stops the load."""
        await self._flying[0].task
        self._journal.settle(self._flying.popleft().reached)

    async def _send(self, part: Sequence[Prepared]) -> None:
        if not part:
            return
        settled = await self._sink.write(part)
        wrong = dict(settled.wrong)
        self.tally.types.update(p.draft.type for n, p in enumerate(part) if n not in wrong)
        self.tally.created += settled.created
        self.tally.updated += settled.updated
        self.tally.unchanged += settled.unchanged
        for number, why in wrong.items():
            self._set_aside(part[number].place, part[number].text, why)

    def _set_aside(self, place: str, body: bytes, why: str) -> None:
        """Into the quarantine file, durable before the journal says the item is settled."""
        if self._faults is None:
            self.quarantine.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.quarantine, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._faults = os.fdopen(handle, "ab", buffering=0)
        text = body.decode("utf-8", "replace")
        self._faults.write(msgspec.json.encode({"place": place, "reason": why, "resource": text}) + b"\n")
        self.tally.quarantined += 1


def _batches(items: Iterable[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for found in items:
        batch.append(found)
        size += len(found.item.body)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _without_repeats(prepared: Sequence[Prepared]) -> list[list[Prepared]]:
    """Parts in which no resource appears twice: all first appearances, then all second ones, and so on."""
    parts: list[list[Prepared]] = []
    seen: Counter[tuple[str, str | None]] = Counter()
    for each in prepared:
        key = (each.draft.type, each.draft.id)
        if seen[key] == len(parts):
            parts.append([])
        parts[seen[key]].append(each)
        seen[key] += 1
    return parts

"""Where prepared resources go: into this installation's record, or to a running server by its API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx
import msgspec

from commonweal.access.agent import Agent
from commonweal.boot.load.prepare import Prepared
from commonweal.fhir.outcome import Problem
from commonweal.platform.platform import Platform

BECAUSE = "loaded from files"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one batch: how many are new, became a version or were there already, and what was wrong."""

    created: int
    updated: int
    unchanged: int
    wrong: Sequence[tuple[Prepared, str]]


class Sink(Protocol):
    """Writes one batch, all of it but what is wrong; the answer comes after the commit."""

    async def write(self, batch: Sequence[Prepared]) -> Settled: ...


class RecordSink:
    """Straight into the record through the gates, as imported history."""

    def __init__(self, platform: Platform, agent: Agent) -> None:
        self._platform = platform
        self._agent = agent

    async def write(self, batch: Sequence[Prepared]) -> Settled:
        left = list(batch)
        wrong: list[tuple[Prepared, str]] = []
        while left:
            try:
                async with self._platform.work(self._agent, single=True) as work:
                    stored = await work.save_all(
                        [p.draft for p in left], because=BECAUSE, skip_same=True, imported=True
                    )
            except Problem as problem:
                # One is at fault and is set aside; the rest is tried again. Faults are rare, batches bounded.
                if problem.index is None:
                    raise
                wrong.append((left.pop(problem.index), str(problem)))
                continue
            methods = [s.method for s in stored]
            return Settled(methods.count("create"), methods.count("update"), methods.count("found"), wrong)
        return Settled(0, 0, 0, wrong)


class _Answer(msgspec.Struct):
    created: int
    updated: int
    unchanged: int
    wrong: list[tuple[int, str]]


class ServerSink:
    """To `POST /fhir/$import` of a running server: NDJSON up, counts and faults by line back."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def write(self, batch: Sequence[Prepared]) -> Settled:
        lines = b"\n".join(bytes(p.draft.resource).replace(b"\n", b" ") for p in batch)
        answer = await self._client.post(
            "$import", content=lines, headers={"Content-Type": "application/fhir+ndjson"}
        )
        if answer.status_code != 200:
            raise ValueError(f"the server answered {answer.status_code}: {answer.text[:300]}")
        told = msgspec.json.decode(answer.content, type=_Answer)
        wrong = [(batch[index], why) for index, why in told.wrong]
        return Settled(told.created, told.updated, told.unchanged, wrong)

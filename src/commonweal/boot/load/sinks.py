"""Where prepared resources go: into this installation's record, or to a running server by its API."""

from collections.abc import Sequence
from typing import Protocol

import httpx
import msgspec

from commonweal.access.agent import Agent
from commonweal.api.bulk.settling import Settled, settle
from commonweal.boot.load.prepare import Prepared
from commonweal.fhir.outcome import Problem
from commonweal.platform.platform import Platform

BECAUSE = "loaded from files"


class Sink(Protocol):
    """Writes one batch, all of it but what is wrong; the answer comes after the commit."""

    async def write(self, batch: Sequence[Prepared]) -> Settled: ...

    async def find(self, search: str) -> str:
        """The one resource that a search ("Type?…") finds, as "Type/id"; ValueError when there is not one."""


class RecordSink:
    """Straight into the record through the gates, as imported history."""

    def __init__(self, platform: Platform, agent: Agent) -> None:
        self._platform = platform
        self._agent = agent

    async def write(self, batch: Sequence[Prepared]) -> Settled:
        return await settle(self._platform, self._agent, [each.draft for each in batch], BECAUSE)

    async def find(self, search: str) -> str:
        async with self._platform.work(self._agent) as work:
            try:
                page = await work.search(search)
            except Problem as problem:
                raise ValueError(f"the reference {search} cannot be searched: {problem}") from None
        return _only(search, [each.reference for each in page.matches])


class _Part(msgspec.Struct):
    name: str
    valueUnsignedInt: int = 0
    valuePositiveInt: int = 0
    valueString: str = ""
    part: list["_Part"] = []


class _Answer(msgspec.Struct):
    """The Parameters that $import answers with."""

    parameter: list[_Part] = []

    def settled(self) -> Settled:
        """The counts, and each wrong line by its place in the batch."""
        counts = {each.name: each.valueUnsignedInt for each in self.parameter}
        parts = [{p.name: p for p in each.part} for each in self.parameter if each.name == "wrong"]
        wrong = [(part["line"].valuePositiveInt - 1, part["reason"].valueString) for part in parts]
        return Settled(counts["created"], counts["updated"], counts["unchanged"], wrong)


class ServerSink:
    """To `POST /fhir/$import` of a running server: NDJSON up, counts and faults by line back."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def write(self, batch: Sequence[Prepared]) -> Settled:
        lines = b"\n".join(bytes(p.draft.resource).translate(ONE_LINE) for p in batch)
        answer = await self._client.post(
            "$import", content=lines, headers={"Content-Type": "application/fhir+ndjson"}
        )
        if answer.status_code != 200:
            raise ValueError(f"the server answered {answer.status_code}: {answer.text[:300]}")
        return msgspec.json.decode(answer.content, type=_Answer).settled()

    async def find(self, search: str) -> str:
        answer = await self._client.get(search, headers={"Prefer": "handling=strict"})
        if answer.status_code != 200:
            raise ValueError(f"the reference {search} cannot be searched: {answer.text[:300]}")
        entries = answer.json().get("entry", ())
        return _only(search, [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries])


def _only(search: str, found: Sequence[str]) -> str:
    if len(found) != 1:
        raise ValueError(f"the reference {search} leads {'to several' if found else 'nowhere'}")
    return found[0]


ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""Line breaks in JSON are only ever between its parts."""

"""One kind of thing that drawers keep, read and written as what it is."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from commonweal.fhir.outcome import Problem
from commonweal.identity.drawers import FOREVER, Drawers, Entry, Taken

Thing = TypeVar("Thing", bound=msgspec.Struct)
TRIES = 50


class Secret(msgspec.Struct, frozen=True):
    """A thing that tells nothing of itself in a log or a traceback."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Kept(Generic[Thing]):
    """The drawers of one kind, each holding one `type` as JSON."""

    def __init__(self, kind: str, type: type[Thing]) -> None:
        self.kind = kind
        self._decoder = msgspec.json.Decoder(type)
        self._encoder = msgspec.json.Encoder()

    async def get(self, drawers: Drawers, id: str) -> Thing | None:
        entry = await drawers.get(self.kind, id)
        return self.read(entry) if entry else None

    async def put(
        self,
        drawers: Drawers,
        id: str,
        thing: Thing,
        *,
        owner: str = "",
        until: int = FOREVER,
        version: int | None = None,
    ) -> int:
        """As `Drawers.put`."""
        data = self._encoder.encode(thing)
        return await drawers.put(self.kind, id, data, owner=owner, until=until, version=version)

    async def take(self, drawers: Drawers, id: str) -> Thing | None:
        """Exactly one caller gets it."""
        entry = await drawers.take(self.kind, id)
        return self.read(entry) if entry else None

    async def of(self, drawers: Drawers, owner: str) -> Sequence[tuple[str, Thing]]:
        """Ids and things of one owner."""
        return [(entry.id, self.read(entry)) for entry in await drawers.of(self.kind, owner)]

    async def page(self, drawers: Drawers, after: str = "", limit: int = 100) -> Sequence[tuple[str, Thing]]:
        """Ids and things in order of id."""
        return [(entry.id, self.read(entry)) for entry in await drawers.page(self.kind, after, limit)]

    async def change(self, drawers: Drawers, id: str, change: Callable[[Thing], Thing]) -> Thing:
        """Change it as it is now, once, whoever else changes it meanwhile; `change` may be asked several times, and
        what it raises is raised. Problem 404 when it is not there."""
        for _ in range(TRIES):
            entry = await drawers.get(self.kind, id)
            if entry is None:
                raise Problem.of("cw-nothing", what=self.kind)
            changed = change(self.read(entry))
            try:
                await self.put(
                    drawers, id, changed, owner=entry.owner, until=entry.until, version=entry.version
                )
            except Taken:
                continue
            return changed
        raise Problem.of("cw-unavailable", why=f"too many change this {self.kind} at once; try again")

    def read(self, entry: Entry) -> Thing:
        """What an entry holds."""
        return self._decoder.decode(entry.data)

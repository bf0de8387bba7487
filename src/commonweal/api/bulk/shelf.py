"""Exports as folders of files: what was asked, how far it is, and what has come of it.

An export outlives every process, so nothing of it is kept in memory. `order.json` never changes. Whoever holds the
lease of an export writes `progress.N.json` and files whose names carry N, its fencing token: a holder that has lost
the lease writes into files that nobody looks at any more. Of a file only the bytes that the progress states count.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from commonweal.access.agent import Agent

Json = dict[str, Any]
Kept = TypeVar("Kept", bound=msgspec.Struct)

PER_FILE = 1_000_000
"""Resources of one file; a type that has more is given in several."""


class Order(msgspec.Struct, frozen=True):
    """What was asked, understood and settled. Times are microseconds.

    `asker`: on whose behalf it runs, as it was when it asked. `at` is the transactionTime; `since` is exclusive.
    `filters`: queries by type, any of which may match.
    `members`: ids of the patients it is about (None: all of them); `only`: nothing that is about others too.
    `remarks`: outcomes about what was ignored.
    """

    id: str
    asker: Agent
    url: str
    at: int
    level: str
    types: tuple[str, ...]
    filters: dict[str, tuple[str, ...]] = {}
    since: int | None = None
    elements: tuple[str, ...] = ()
    members: tuple[str, ...] | None = None
    only: bool = False
    remarks: tuple[Json, ...] = ()


class Part(msgspec.Struct):
    """One file of NDJSON; `section` is the list of the manifest it stands in."""

    name: str
    type: str
    section: str = "output"
    count: int = 0
    size: int = 0


class Progress(msgspec.Struct):
    """How far it is: steps done, and where the page after the last one begins."""

    token: int = 0
    step: int = 0
    steps: int = 0
    cursor: str | None = None
    parts: list[Part] = []
    ended: int | None = None
    failed: str | None = None

    @property
    def count(self) -> int:
        """Resources written so far."""
        return sum(part.count for part in self.parts)

    def part(self, section: str, type: str) -> Part:
        """The file to go on with: the last of its kind if it has room and is this holder's, else a new one."""
        same = [part for part in self.parts if (part.section, part.type) == (section, type)]
        if not same or same[-1].count >= PER_FILE or f".{self.token}." not in same[-1].name:
            self.parts.append(Part(f"{section}.{type}.{self.token}.{len(same) + 1}.ndjson", type, section))
            return self.parts[-1]
        return same[-1]


class Job:
    """One export."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    def order(self) -> Order | None:
        """None: there is no such export any more."""
        return _read(self.folder / "order.json", Order)

    def progress(self) -> Progress:
        """As the newest holder left it."""
        tokens = [int(path.name.split(".")[1]) for path in self.folder.glob("progress.*.json")]
        found = _read(self.folder / f"progress.{max(tokens)}.json", Progress) if tokens else None
        return found or Progress()

    def keep(self, progress: Progress) -> None:
        """Durable when this returns; what the parts state must be so before. FileNotFoundError: cancelled."""
        _write(self.folder / f"progress.{progress.token}.json", progress)

    def append(self, progress: Progress, section: str, type: str, lines: Sequence[bytes]) -> None:
        """Lines behind those that count; durable when this returns, but told only by the next `keep`."""
        part = progress.part(section, type)
        part.size = _append(self.folder / part.name, part.size, lines)
        part.count += len(lines)

    def was_polled(self, now: datetime, patience: timedelta) -> bool:
        """Note a question for the status; was there another one within `patience`?"""
        marker = self.folder / "polled"
        moment = int(now.timestamp() * 1_000_000)
        try:
            last = marker.stat().st_mtime_ns // 1000
        except FileNotFoundError:
            last = None
            marker.touch(mode=0o600)
        os.utime(marker, ns=(moment * 1000, moment * 1000))
        return last is not None and 0 <= moment - last < patience / timedelta(microseconds=1)

    def remove(self) -> None:
        """At once for everyone; a download under way is finished all the same."""
        gone = self.folder.with_name(f".{self.id}")
        with suppress(FileNotFoundError):
            self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


class Shelf:
    """All exports of an installation. `keep`: how long files stay once they are complete; `patience`: the shortest
    time between two questions for a status; `most`: unfinished exports of one agent."""

    def __init__(
        self,
        folder: Path,
        keep: timedelta = timedelta(hours=24),
        patience: timedelta = timedelta(seconds=1),
        most: int = 5,
    ) -> None:
        self.folder = folder
        self.keep = keep
        self.patience = patience
        self.most = most

    def add(self, order: Order) -> Job:
        """A new export, found by the background worker from now on."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        job = Job(self.folder / order.id)
        job.folder.mkdir(mode=0o700)
        _write(job.folder / "order.json", order)
        return job

    def find(self, id: str) -> Job | None:
        """The export of that id, if there is one; no id leads out of the folder."""
        folder = self.folder / id
        is_one = id.isalnum() and id.isascii() and (folder / "order.json").is_file()
        return Job(folder) if is_one else None

    def jobs(self) -> Iterator[Job]:
        """Every export, oldest first."""
        for order in sorted(self.folder.glob("[!.]*/order.json")):
            yield Job(order.parent)

    def unfinished(self, asker: str) -> int:
        """How many exports of this agent are not complete."""
        orders = ((job, job.order()) for job in self.jobs() if job.progress().ended is None)
        return sum(order is not None and order.asker.id == asker for _, order in orders)

    def sweep(self, now: int) -> None:
        """Remove what has been complete for long enough, and what was left behind half removed."""
        longest = self.keep // timedelta(microseconds=1)
        for job in self.jobs():
            ended = job.progress().ended
            if ended is not None and now - ended > longest:
                job.remove()
        for rest in self.folder.glob(".*"):
            shutil.rmtree(rest, ignore_errors=True)


def _append(path: Path, size: int, lines: Sequence[bytes]) -> int:
    """Lines behind the first `size` bytes of a file; its new size."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.truncate(size)
        file.seek(size)
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None


def _write(path: Path, content: Any) -> None:
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(content))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

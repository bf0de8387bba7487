"""What is to be loaded: resources found in files and folders, NDJSON or JSON, plain, compressed or inside tar.

Everything is read as a stream: one line or one document is held at a time, never an archive.
"""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from commonweal.boot.load.unpacking import BROKEN, UNPACKED, archive

LINE_BYTES = 50_000_000
"""Longest NDJSON line."""
DOCUMENT_BYTES = 256_000_000
"""Largest JSON document, unpacked; a compressed file that grows beyond it is refused, not expanded."""
LAYERS = 8
"""How often something may be packed within something else."""

NDJSON = (".ndjson", ".jsonl")
TAR = {".tgz": ".tar.gz", ".txz": ".tar.xz"}
MARK = b"\xef\xbb\xbf"
"""A byte order mark, which some editors put first."""


@dataclass(frozen=True, slots=True)
class Item:
    """One resource as found: where, its text, and the fullUrl its Bundle gives it. `error`: why there is none."""

    place: str
    body: bytes
    full_url: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One file on disk; its items come in the same order every time, which is what makes a load resumable."""

    path: Path
    size: int
    changed: int = 0

    @property
    def place(self) -> str:
        """The path as text, whatever bytes it is made of."""
        return _shown(str(self.path))

    def items(self) -> Iterator[Item]:
        """Every resource in the file; what cannot be read is an item with an error."""
        try:
            with self.path.open("rb") as file:
                yield from _items(self.path.name, self.place, file)
        except BROKEN as error:
            yield Item(self.place, b"", error=f"the file cannot be read further: {error}")


def find(paths: Sequence[Path]) -> list[Source]:
    """Every loadable file in the paths, sorted by name. ValueError names a path that cannot be loaded."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [p for p in sorted(path.rglob("*")) if p.is_file() and _is_loadable(p.name)]
        elif not path.is_file():
            raise ValueError(f"there is no file or folder at {path}")
        elif not _is_loadable(path.name):
            raise ValueError(f"{path} is not {KINDS}")
        else:
            found.append(path)
    return [_source(path) for path in found]


def _source(path: Path) -> Source:
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} may not be read by this user")
    facts = path.stat()
    return Source(path, facts.st_size, facts.st_mtime_ns)


KINDS = ".json, .ndjson, .jsonl or a tar of them, plain or as .gz, .xz, .zst"


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _is_loadable(name: str) -> bool:
    name = name.lower()
    for packed in UNPACKED:
        name = name.removesuffix(packed)
    return name.endswith((".json", ".tar", *TAR, *NDJSON))


def _items(name: str, place: str, file: IO[bytes], layer: int = 0) -> Iterator[Item]:
    """By the name's endings, from the outside in: unpack, open the archive, read lines or a document."""
    if layer > LAYERS:
        yield Item(place, b"", error=f"it is packed more than {LAYERS} times over")
        return
    name = name.lower()
    for short, long in TAR.items():
        name = name.removesuffix(short) + long if name.endswith(short) else name
    for packed, opened in UNPACKED.items():
        if name.endswith(packed):
            yield from _items(name.removesuffix(packed), place, opened(file), layer + 1)
            return
    if name.endswith(".tar"):
        yield from _members(place, file, layer)
    elif name.endswith(NDJSON):
        yield from _lines(place, file)
    elif name.endswith(".json"):
        yield from _document(place, file)


def _members(place: str, file: IO[bytes], layer: int) -> Iterator[Item]:
    """Members of a tar, read one after the other; names are only ever labels, nothing is written to disk."""
    with archive(file) as members:
        for member in members:
            content = members.extractfile(member) if member.isfile() and _is_loadable(member.name) else None
            if content is not None:
                yield from _member(f"{place}!{_shown(member.name)}", member.name, content, layer + 1)


def _member(place: str, name: str, content: IO[bytes], layer: int) -> Iterator[Item]:
    """One that is broken leaves the others as they are; a broken archive says so again at its next member."""
    try:
        yield from _items(Path(name).name, place, content, layer)
    except BROKEN as error:
        yield Item(place, b"", error=f"it cannot be read further: {error}")


def _lines(place: str, file: IO[bytes]) -> Iterator[Item]:
    reader = io.BufferedReader(_Readable(file), 1 << 20)
    number = 0
    while line := reader.readline(LINE_BYTES + 1):
        number += 1
        line = line.removeprefix(MARK) if number == 1 else line
        if len(line) > LINE_BYTES:
            yield Item(f"{place}:{number}", b"", error=f"the line is longer than {LINE_BYTES} bytes")
            return
        if line.strip():
            yield Item(f"{place}:{number}", line.strip())


def _up_to(file: IO[bytes], limit: int) -> bytes:
    """No more than `limit` bytes, held once."""
    held = io.BytesIO()
    while held.tell() < limit and (chunk := file.read(min(1 << 20, limit - held.tell()))):
        held.write(chunk)
    return held.getvalue()


class _Readable(io.RawIOBase):
    """Gives any stream the one method a BufferedReader needs; what was unpacked before an error is not lost."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        data = self._file.read1(len(view))
        view[: len(data)] = data
        return len(data)


class _Entry(msgspec.Struct):
    fullUrl: str | None = None
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Document(msgspec.Struct):
    resourceType: str = ""
    type: str = ""
    entry: list[_Entry] = []


_decoder = msgspec.json.Decoder(_Document)
CARRIERS = ("transaction", "batch", "collection", "searchset", "history")
"""Bundles that only carry resources; a document or a message is itself a resource of the record."""


def _document(place: str, file: IO[bytes]) -> Iterator[Item]:
    body = _up_to(file, DOCUMENT_BYTES + 1).removeprefix(MARK)
    if len(body) > DOCUMENT_BYTES:
        yield Item(place, b"", error=f"the document is larger than {DOCUMENT_BYTES} bytes; use NDJSON")
        return
    try:
        document = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield Item(place, body, error=f"this is not a JSON resource: {error}")
        return
    if document.resourceType != "Bundle" or document.type not in CARRIERS:
        yield Item(place, body)
        return
    for number, entry in enumerate(document.entry):
        if bytes(entry.resource):
            yield Item(f"{place}#entry[{number}]", bytes(entry.resource), entry.fullUrl)

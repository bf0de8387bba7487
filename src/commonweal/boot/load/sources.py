"""What is to be loaded: resources found in files and folders, NDJSON or JSON, plain, compressed or inside tar.

Everything is read as a stream: one line or one document is held at a time, never an archive.
"""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard

LINE_BYTES = 50_000_000
"""Longest NDJSON line."""
DOCUMENT_BYTES = 512_000_000
"""Largest JSON document, unpacked; a compressed file that grows beyond it is refused, not expanded."""

NDJSON = (".ndjson", ".jsonl")
UNPACKED: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".xz": lzma.LZMAFile,
    ".zst": lambda file: zstandard.ZstdDecompressor().stream_reader(file),
}
TAR = {".tgz": ".tar.gz", ".txz": ".tar.xz"}


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

    def items(self) -> Iterator[Item]:
        """Every resource in the file; what cannot be read is an item with an error."""
        try:
            with self.path.open("rb") as file:
                yield from _items(self.path.name, str(self.path), file)
        except (OSError, EOFError, lzma.LZMAError, zstandard.ZstdError, tarfile.TarError) as error:
            yield Item(str(self.path), b"", error=f"the file cannot be read further: {error}")


def find(paths: Sequence[Path]) -> list[Source]:
    """Every loadable file in the paths, sorted by name. ValueError names a path that does not exist."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [p for p in sorted(path.rglob("*")) if p.is_file() and _is_loadable(p.name)]
        elif path.is_file():
            found.append(path)
        else:
            raise ValueError(f"there is nothing at {path}")
    return [Source(path, path.stat().st_size) for path in found]


def _is_loadable(name: str) -> bool:
    name = name.lower()
    for packed in UNPACKED:
        name = name.removesuffix(packed)
    return name.endswith((".json", ".tar", *TAR, *NDJSON))


def _items(name: str, place: str, file: IO[bytes]) -> Iterator[Item]:
    """By the name's endings, from the outside in: unpack, open the archive, read lines or a document."""
    name = name.lower()
    for short, long in TAR.items():
        name = name.removesuffix(short) + long if name.endswith(short) else name
    for packed, opened in UNPACKED.items():
        if name.endswith(packed):
            yield from _items(name.removesuffix(packed), place, opened(file))
            return
    if name.endswith(".tar"):
        yield from _members(place, file)
    elif name.endswith(NDJSON):
        yield from _lines(place, file)
    elif name.endswith(".json"):
        yield from _document(place, file)
    else:
        yield Item(
            place, b"", error="not .json, .ndjson, .jsonl or a tar of them, plain or as .gz, .xz, .zst"
        )


def _members(place: str, file: IO[bytes]) -> Iterator[Item]:
    """Members of a tar, read one after the other; names are only ever labels, nothing is written to disk."""
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            if member.isfile() and _is_loadable(member.name):
                content = archive.extractfile(member)
                if content is not None:
                    yield from _items(Path(member.name).name, f"{place}!{member.name}", content)


def _lines(place: str, file: IO[bytes]) -> Iterator[Item]:
    reader = io.BufferedReader(_Readable(file), 1 << 20)
    number = 0
    while line := reader.readline(LINE_BYTES + 1):
        number += 1
        if len(line) > LINE_BYTES:
            yield Item(f"{place}:{number}", b"", error=f"the line is longer than {LINE_BYTES} bytes")
            return
        if line.strip():
            yield Item(f"{place}:{number}", line.strip())


class _Readable(io.RawIOBase):
    """Gives any stream the one method a BufferedReader needs."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        data = self._file.read(len(view))
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
    body = file.read(DOCUMENT_BYTES + 1)
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

"""A file as an answer, streamed in chunks and packed on the way where the caller takes gzip."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from commonweal.api.answer import Answer

CHUNK = 256 * 1024
NDJSON = b"application/fhir+ndjson"


def streamed(path: Path, size: int, gzipped: bool) -> Answer:
    """The first `size` bytes of a file; FileNotFoundError when there is none. It is read to its end even where
    it is removed meanwhile."""
    file = path.open("rb")
    answer = Answer(200)
    answer.stream = _packed(file, size) if gzipped else _plain(file, size)
    answer.headers += [(b"content-type", NDJSON), (b"vary", b"Accept-Encoding")]
    answer.headers.append((b"content-encoding", b"gzip") if gzipped else (b"content-length", b"%d" % size))
    return answer


async def _plain(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    with file:
        while size > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK, size))):
            size -= len(chunk)
            yield chunk


async def _packed(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    async for chunk in _plain(file, size):
        packed = await asyncio.to_thread(packer.compress, chunk)
        if packed:
            yield packed
    yield packer.flush()

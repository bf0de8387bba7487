"""Blobs: bytes by the SHA-256 of their content, streamed in and out in chunks, each content kept once."""

from collections.abc import AsyncIterable, AsyncIterator
from hashlib import sha256

import asyncpg

from commonweal.fhir.outcome import Problem

CHUNK = 256 * 1024
LIMIT = 100 * 1024 * 1024

NEW_KEY = "select nextval(pg_get_serial_sequence('beside.blob', 'key'))"
ADD_CHUNK = "insert into beside.chunk (key, part, data) values ($1, $2, $3)"
ADD = "insert into beside.blob (hash, key, size) values ($1, $2, $3) on conflict do nothing returning key"
UNDO = "delete from beside.chunk where key = $1"
FIND = "select key, size from beside.blob where hash = $1"
PART = "select data from beside.chunk where key = $1 and part = $2"
DROP = """
with gone as (delete from beside.blob where hash = $1 returning key)
delete from beside.chunk where key in (select key from gone)"""


class Blobs:
    """Content-addressed bytes in the database."""

    def __init__(self, pool: asyncpg.Pool, limit: int = LIMIT) -> None:
        self._pool = pool
        self._limit = limit

    async def save(self, content: AsyncIterable[bytes]) -> str:
        """Keep what is streamed in; its SHA-256 in hexadecimal. Problem 413 when it is too large."""
        digest, size, part = sha256(), 0, 0
        async with self._pool.acquire() as connection, connection.transaction():
            key = await connection.fetchval(NEW_KEY)
            async for chunk in _cut(content):
                size += len(chunk)
                if size > self._limit:
                    raise Problem.too_large(self._limit)
                digest.update(chunk)
                await connection.execute(ADD_CHUNK, key, part, chunk)
                part += 1
            if await connection.fetchval(ADD, digest.digest(), key, size) is None:
                await connection.execute(UNDO, key)
        return digest.hexdigest()

    async def size(self, hash: str) -> int | None:
        """How many bytes, or None when there is no such content."""
        row = await self._pool.fetchrow(FIND, _digest(hash))
        return row["size"] if row else None

    async def load(self, hash: str) -> AsyncIterator[bytes]:
        """The content, a chunk at a time; no connection is held between chunks. Problem 404 without it."""
        row = await self._pool.fetchrow(FIND, _digest(hash))
        if row is None:
            raise Problem.not_found("Binary", hash)
        part, left = 0, row["size"]
        while left > 0:
            data = await self._pool.fetchval(PART, row["key"], part)
            if data is None:
                raise Problem.gone("Binary", hash)
            yield data
            part, left = part + 1, left - len(data)

    async def drop(self, hash: str) -> None:
        """Forget the content; nothing happens when there is none."""
        await self._pool.execute(DROP, _digest(hash))


def _digest(hash: str) -> bytes:
    """The bytes of a hexadecimal hash; nothing for what is none, under which nothing is kept."""
    try:
        return bytes.fromhex(hash)
    except ValueError:
        return b""


async def _cut(content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in chunks of CHUNK, whatever size they came in."""
    held = bytearray()
    async for each in content:
        held += each
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)

"""Blobs: the same bytes out as in, once each, in chunks, and no larger than allowed."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from commonweal.fhir.outcome import Problem
from commonweal.store.beside.blobs import CHUNK, Blobs


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool:
        yield pool


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def content(blobs: Blobs, hash: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.load(hash)])


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
async def test_the_same_bytes_come_back(pool: Any, size: int) -> None:
    whole = bytes(number % 251 for number in range(size))
    blobs = Blobs(pool)
    hash = await blobs.save(stream(whole[:1000], whole[1000:]))
    assert hash == sha256(whole).hexdigest()
    assert await blobs.size(hash) == size
    assert await content(blobs, hash) == whole


async def test_the_same_content_is_kept_once(pool: Any) -> None:
    blobs = Blobs(pool)
    await blobs.save(stream(b"twice", b"over"))
    before = await pool.fetchval("select count(*) from beside.chunk")
    assert await blobs.save(stream(b"twiceover")) == await blobs.save(stream(b"twice", b"over"))
    assert await pool.fetchval("select count(*) from beside.chunk") == before


async def test_what_is_too_large_leaves_nothing(pool: Any) -> None:
    before = await pool.fetchval("select count(*) from beside.chunk")
    with pytest.raises(Problem) as refused:
        await Blobs(pool, limit=2 * CHUNK).save(stream(bytes(CHUNK), bytes(CHUNK), b"x"))
    assert refused.value.status == 413
    assert await pool.fetchval("select count(*) from beside.chunk") == before


async def test_what_is_dropped_or_never_was_is_not_found(pool: Any) -> None:
    blobs = Blobs(pool)
    hash = await blobs.save(stream(b"to be dropped"))
    await blobs.drop(hash)
    await blobs.drop(hash)
    assert await blobs.size(hash) is None
    with pytest.raises(Problem) as refused:
        await content(blobs, hash)
    assert refused.value.status == 404


@pytest.mark.parametrize("hash", ["", "zz", "../../etc/passwd", "ab", "é" * 64])
async def test_what_is_no_hash_is_not_found(pool: Any, hash: str) -> None:
    blobs = Blobs(pool)
    assert await blobs.size(hash) is None
    with pytest.raises(Problem):
        await content(blobs, hash)

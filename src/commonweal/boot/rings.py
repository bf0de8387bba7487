"""A ring of keys for one purpose: the newest is used, the older ones still open what they closed."""

import json
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

FRESH = 2.0
"""Seconds after which a process looks whether another one has rotated the ring."""


@dataclass(frozen=True, slots=True)
class Key:
    """256 bits with the id that what they closed carries; `made` in seconds since 1970."""

    id: str
    key: bytes
    made: int


class Ring:
    """Keys, newest first; `read` gives the content of their file, and is asked again now and then."""

    def __init__(self, read: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._content = read()
        self._keys = parsed(self._content)
        self._looked = clock()

    @property
    def current(self) -> Key:
        """The key for what is closed from now on."""
        self._keep_fresh()
        return self._keys[0]

    def key(self, id: str) -> bytes | None:
        """The key of this id; for one that is not known the file is asked: another process may have just made it."""
        self._keep_fresh()
        found = self._find(id)
        if found is None:
            self._look()
            found = self._find(id)
        return found

    def __iter__(self) -> Iterator[Key]:
        self._keep_fresh()
        return iter(self._keys)

    def _find(self, id: str) -> bytes | None:
        return next((each.key for each in self._keys if each.id == id), None)

    def _keep_fresh(self) -> None:
        if self._clock() - self._looked > FRESH:
            self._look()

    def _look(self) -> None:
        self._looked = self._clock()
        content = self._read()
        if content != self._content:
            self._keys, self._content = parsed(content), content


def of(key: bytes) -> Ring:
    """A ring of a single key that never changes."""
    content = written([Key("only", key, 0)])
    return Ring(lambda: content)


def fresh() -> Key:
    """A new key."""
    return Key(secrets.token_hex(4), secrets.token_bytes(32), int(time.time()))


def turned(keys: Sequence[Key], keep_seconds: float | None = None) -> list[Key]:
    """A new key first, then the old ones; those are left out that were replaced longer ago than `keep_seconds`."""
    now = int(time.time())
    replaced = zip(keys, [now, *(each.made for each in keys)], strict=False)
    kept = [key for key, since in replaced if keep_seconds is None or now - since < keep_seconds]
    return [fresh(), *kept]


def written(keys: Sequence[Key]) -> bytes:
    """The content of a ring's file."""
    lines = [{"id": each.id, "key": b64encode(each.key).decode(), "made": each.made} for each in keys]
    return json.dumps({"keys": lines}, indent=1).encode() + b"\n"


def parsed(content: bytes) -> tuple[Key, ...]:
    """The keys of a ring's file; ValueError when it is none."""
    try:
        lines = json.loads(content)["keys"]
        keys = tuple(Key(each["id"], b64decode(each["key"]), each["made"]) for each in lines)
    except (ValueError, KeyError, TypeError):
        raise ValueError("a file of secret keys is damaged; take it from the last backup") from None
    if not keys or not all(len(each.key) == 32 for each in keys):
        raise ValueError("a file of secret keys is damaged; take it from the last backup")
    return keys

"""The secrets of one installation: made at first start, kept 0600 in the data folder, never printed."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from commonweal.boot import rings
from commonweal.boot.rings import Key, Ring
from commonweal.boot.sealing import Sealer, is_sealed

SINGLE = ("index.key", "seal.key", "identity.key")
RINGS = {"tokens": "tokens.keys", "drawers": "drawers.keys"}


@dataclass(frozen=True, slots=True)
class Secrets:
    """`index` keys the hashes of the index, `seal` the chain of the audit, `identity` those of phones, codes and
    sessions; none of them can change. `tokens` signs bearer tokens, `drawers` encrypts what the drawers hold: rings,
    whose newest key is used. All but `tokens` belong in every backup."""

    tokens: Ring
    index: bytes
    seal: bytes
    identity: bytes
    drawers: Ring


def open_secrets(data: Path, key_file: str | Path = "") -> Secrets:
    """Read, or make once: two processes starting together end up with the same ones.

    `key_file`: they are sealed with its content. ValueError when they are sealed and no key opens them, or the other
    way round: somebody put them there who has not the key.
    """
    home = Home(data / "secrets", Sealer(Path(key_file)) if key_file else None)
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    index, seal, identity = (home.made(name, secrets.token_bytes(32)) for name in SINGLE)
    for name in RINGS.values():
        home.made(name, rings.written([home.adopted(name) or rings.fresh()]))
    tokens, drawers = (Ring(partial(home.read, name)) for name in RINGS.values())
    return Secrets(tokens, index, seal, identity, drawers)


def rotate(data: Path, ring: str, key_file: str | Path = "", keep_seconds: float | None = None) -> Key:
    """Put a new key first in a ring ("tokens" or "drawers"); running processes use it within seconds.

    The file is replaced in one step: whoever dies in the middle leaves the old ring or the new one. Keys replaced
    longer ago than `keep_seconds` are forgotten (None: none is).
    """
    home = Home(data / "secrets", Sealer(Path(key_file)) if key_file else None)
    name = RINGS[ring]
    with home.locked():
        keys = rings.turned(rings.parsed(home.read(name)), keep_seconds)
        home.replace(name, rings.written(keys))
    return keys[0]


def seal_all(data: Path, key_file: str | Path, was: str | Path = "") -> int:
    """Seal every secret with the key file, what `was` sealed included; done again after a crash it completes.
    The number of files changed."""
    old = Sealer(Path(was)) if was else None
    return _rewritten(data, old, Sealer(Path(key_file)))


def unseal_all(data: Path, key_file: str | Path) -> int:
    """Write every secret plainly again. The number of files changed."""
    return _rewritten(data, Sealer(Path(key_file)), None)


def _rewritten(data: Path, old: Sealer | None, new: Sealer | None) -> int:
    home, changed = Home(data / "secrets", new), 0
    with home.locked():
        for name in (*SINGLE, *RINGS.values()):
            content = (home.path / name).read_bytes()
            if new is not None and is_sealed(content) and _opens(new, name, content):
                continue
            plain = content
            if is_sealed(content):
                if old is None:
                    raise ValueError(f"the secret {name} is sealed already; name its old key file")
                plain = old.open(name, content)
            elif new is None:
                continue
            home.replace(name, plain)
            changed += 1
    return changed


def _opens(sealer: Sealer, name: str, content: bytes) -> bool:
    try:
        sealer.open(name, content)
    except ValueError:
        return False
    return True


class Home:
    """The folder of the secrets, read and written through the sealer where there is one."""

    def __init__(self, path: Path, sealer: Sealer | None) -> None:
        self.path = path
        self._sealer = sealer

    def read(self, name: str) -> bytes:
        """The plain content of a file; ValueError when it is not sealed as it should be."""
        content = (self.path / name).read_bytes()
        if is_sealed(content):
            if self._sealer is None:
                raise ValueError("the secrets are sealed; name the key file in COMMONWEAL_SECRETS_KEY_FILE")
            return self._sealer.open(name, content)
        if self._sealer is not None:
            raise ValueError(f"the secret {name} is not sealed; seal all with: commonweal keys seal")
        return content

    def made(self, name: str, content: bytes) -> bytes:
        """The content of a file, which is made with this one when there is none yet."""
        path = self.path / name
        if not path.exists():
            written = self._beside(path, self._closed(name, content))
            try:
                os.link(written, path)
            except FileExistsError:
                pass
            finally:
                written.unlink()
            self._sync()
        return self.read(name)

    def replace(self, name: str, content: bytes) -> None:
        """Put this content in place of the old one, in one step that outlives a crash."""
        self._beside(self.path / name, self._closed(name, content)).replace(self.path / name)
        self._sync()

    def adopted(self, ring: str) -> Key | None:
        """The single key that an earlier version kept for what is a ring now."""
        path = self.path / ring.removesuffix("s")
        return Key("first", path.read_bytes(), int(path.stat().st_mtime)) if path.exists() else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time changes secrets; the lock ends with its process."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _closed(self, name: str, content: bytes) -> bytes:
        return self._sealer.seal(name, content) if self._sealer else content

    def _beside(self, path: Path, content: bytes) -> Path:
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return fresh

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

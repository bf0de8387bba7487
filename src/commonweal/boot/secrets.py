"""The secrets of one installation: made at first start, kept 0600 in the data folder, never printed."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """`tokens` signs bearer tokens; `index` keys the hashes of the index, `seal` the chain of the audit: these
    two belong in every backup."""

    tokens: bytes
    index: bytes
    seal: bytes


def open_secrets(data: Path) -> Secrets:
    """Read, or make once: two processes starting together end up with the same ones."""
    home = data / "secrets"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Secrets(_secret(home / "tokens.key"), _secret(home / "index.key"), _secret(home / "seal.key"))


def _secret(path: Path) -> bytes:
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()

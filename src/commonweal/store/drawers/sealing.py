"""What drawers hold, encrypted with AES-256-GCM (NIST SP 800-38D) and bound to where it lies."""

import secrets
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from commonweal.fhir.outcome import Problem

NONCE = 12


class Key(Protocol):
    """256 bits, with the id under which they are asked for again."""

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> bytes: ...


class Keys(Protocol):
    """The current key encrypts; that and all older ones decrypt."""

    @property
    def current(self) -> Key: ...
    def key(self, id: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class _Only:
    id: str
    key: bytes = field(repr=False)


class SingleKey:
    """Keys that never change."""

    def __init__(self, key: bytes, id: str = "only") -> None:
        self.current: Key = _Only(id, key)

    def key(self, id: str) -> bytes | None:
        return self.current.key if id == self.current.id else None


class Sealer:
    """Seals and opens: a value moved to another drawer does not open there."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    @property
    def current(self) -> str:
        """The id of the key in use."""
        return self._keys.current.id

    def seal(self, kind: str, id: str, data: bytes) -> tuple[str, bytes]:
        """The id of the key, and nonce and text."""
        key, nonce = self._keys.current, secrets.token_bytes(NONCE)
        return key.id, nonce + AESGCM(key.key).encrypt(nonce, data, _place(kind, id))

    def open(self, kind: str, id: str, key_id: str, sealed: bytes) -> bytes:
        """What was sealed; Problem 500 when it was changed, moved, or its key is not there."""
        key = self._keys.key(key_id)
        if key is None:
            raise Problem.of("cw-exception", why=f"the key {key_id} of what identity keeps is missing")
        try:
            return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], _place(kind, id))
        except (InvalidTag, ValueError):
            why = f"something kept for identity ({kind}) was changed from outside"
            raise Problem.of("cw-exception", why=why) from None


def _place(kind: str, id: str) -> bytes:
    return f"{kind}\x1f{id}".encode()

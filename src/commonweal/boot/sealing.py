"""Secrets wrapped by a key that lies elsewhere: sealed, they can be neither read nor changed without being noticed.

The key file holds what a key service or an operator puts there (16 characters or more); scrypt (RFC 7914) makes the
key of it, AES-256-GCM (NIST SP 800-38D) seals each file together with its own name, so that none passes for another.
"""

import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MARK = b"commonweal-sealed-1\n"
SALT, NONCE = 16, 12
SHORTEST = 16


class Sealer:
    """Seals and opens with the content of one key file; `salt` is the same for all that one sealer seals."""

    def __init__(self, key_file: Path) -> None:
        self._phrase = _phrase(key_file)
        self._salt = secrets.token_bytes(SALT)

    def seal(self, name: str, plain: bytes) -> bytes:
        """The sealed form of the file `name`."""
        nonce = secrets.token_bytes(NONCE)
        sealed = AESGCM(_key(self._phrase, self._salt)).encrypt(nonce, plain, _bound(name))
        return MARK + self._salt + nonce + sealed

    def open(self, name: str, sealed: bytes) -> bytes:
        """What was sealed; ValueError when it was changed, belongs to another name, or the key is another."""
        rest = sealed.removeprefix(MARK)
        salt, nonce, text = rest[:SALT], rest[SALT : SALT + NONCE], rest[SALT + NONCE :]
        try:
            plain = AESGCM(_key(self._phrase, salt)).decrypt(nonce, text, _bound(name))
        except (InvalidTag, ValueError):
            raise ValueError(f"the secret {name} was sealed with another key, or has been changed") from None
        self._salt = salt  # one salt for all, so that the slow part is done once by a process
        return plain


def is_sealed(content: bytes) -> bool:
    """Does this file content come from a Sealer?"""
    return content.startswith(MARK)


def _phrase(key_file: Path) -> bytes:
    try:
        phrase = key_file.read_bytes().strip()
    except OSError as error:
        raise ValueError(f"the key file {key_file} cannot be read ({error.strerror})") from error
    if len(phrase) < SHORTEST:
        raise ValueError(f"the key file {key_file} holds less than {SHORTEST} characters")
    return phrase


@lru_cache(maxsize=8)
def _key(phrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(phrase)


def _bound(name: str) -> bytes:
    return MARK + name.encode()

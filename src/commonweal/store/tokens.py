"""Keyed 64-bit hashes of what a resource can be found by; whoever holds the table alone learns no value."""

from functools import lru_cache
from hashlib import blake2b

from commonweal.fhir.search.strings import LONG

Form = tuple[str, ...]


class Tokens:
    """Hashes under one installation's key. Every form starts with its own letter, so that none meets another."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.of = lru_cache(maxsize=1 << 16)(self._of)

    def _of(self, *form: str) -> int:
        text = "\x1f".join(form).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest(), "big", signed=True)

    def coded(self, name: str, system: str, code: str) -> int:
        """`name=system|code`; system "" is "explicitly none"."""
        return self.of("c", name, system, code)

    def code(self, name: str, code: str) -> int:
        """`name=code`, of whichever system."""
        return self.of("a", name, code)

    def system(self, name: str, system: str) -> int:
        """`name=system|`, whichever code."""
        return self.of("s", name, system)

    def uri(self, name: str, uri: str) -> int:
        return self.of("u", name, uri)

    def under(self, name: str, uri: str) -> int:
        """A uri that lies at or below this one (`:below`)."""
        return self.of("b", name, uri)

    def bare(self, name: str, uri: str) -> int:
        """A uri without the slash at its end, where it has one (`:above`)."""
        return self.of("w", name, uri)

    def exact(self, name: str, text: str) -> int:
        """A string exactly as written (`:exact`)."""
        return (self.of if len(text) < LONG else self._of)("x", name, text)

    def word(self, name: str, word: str) -> int:
        """A whole word of a text."""
        return (self.of if len(word) < LONG else self._of)("o", name, word)

    def gram(self, name: str, text: str) -> int:
        """A beginning or a part of a normalised string."""
        return self.of("g", name, text)

    def self(self, reference: str) -> int:
        """A resource ("Patient/1") or whatever else a reference names; also what access columns hold."""
        return self.of("t", reference)

    def salt(self, name: str) -> int:
        """What tells the references of one parameter from another's: SQL can join with `self # salt`."""
        return self.of("r", name)

    def reference(self, name: str, reference: str) -> int:
        return self.self(reference) ^ self.salt(name)

    def label(self, label: str) -> int:
        """A security label "system|code"."""
        return self.of("l", label)

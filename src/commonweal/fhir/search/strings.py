"""How strings and uris are compared: https://hl7.org/fhir/R4/search.html#string."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

ACCENTS = {code: None for code in range(0x0300, 0x0370)}
"""Combining marks of Latin, Greek and Cyrillic; those of other scripts make another letter and stay."""


LONG = 200
"""Letters from which on a text is not kept in mind: it will hardly come again, and there may be many."""


def normalise(text: str) -> str:
    """Without case, accents, width and needless white space: " Émile  ＺOLA" is "emile zola"."""
    if text.isascii():
        return " ".join(text.lower().split())
    return _kept(text) if len(text) < LONG else _folded(text)


def _folded(text: str) -> str:
    folded = normalize("NFKD", normalize("NFKD", text).casefold()).translate(ACCENTS)
    return " ".join(normalize("NFC", folded).casefold().split())


_kept = lru_cache(maxsize=1 << 14)(_folded)


def above(uri: str) -> tuple[str, ...]:
    """The uri and everything it lies below, for :below and :above; only addresses (x://…) lie below others.

    "http://a/b/c" → "http://a/b/c", "http://a/b", "http://a". A slash at the end makes no difference.
    """
    whole = uri.rstrip("/")
    scheme, mark, path = whole.partition("://")
    if not mark:
        return (uri,)
    parts = path.split("/", DEEPEST)
    return tuple(f"{scheme}://{'/'.join(parts[:length])}" for length in range(len(parts), 0, -1))


DEEPEST = 32
"""Slashes of a uri that :above and :below look at."""

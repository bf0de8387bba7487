"""Beginnings and parts of normalised strings, by which candidates for a string search are found."""

from collections.abc import Iterator

LENGTHS = (1, 2, 3, 5, 8, 13)
"""Beginnings kept of each string; a search uses the longest that its own text reaches."""
PART = 3
"""Letters of a part; of Chinese, Japanese and Korean one or two characters say as much."""
LABEL = 3
"""Of labels (":text") only a beginning of this length is kept: they repeat in every record."""


def beginnings(text: str) -> Iterator[str]:
    """What is kept of a string for searches by its beginning."""
    for length in LENGTHS:
        if length <= len(text):
            yield "^" + text[:length]


def beginning(text: str) -> str | None:
    """What a string must have kept to begin with this text."""
    fitting = [length for length in LENGTHS if length <= len(text)]
    return "^" + text[: fitting[-1]] if fitting else None


def parts(text: str) -> Iterator[str]:
    """What is kept of a string for searches anywhere in it, and what a search asks for."""
    for at in range(len(text) - PART + 1):
        yield text[at : at + PART]
    for at, letter in enumerate(text):
        if letter >= "\u2e80":
            yield letter
            if at + 1 < len(text) and text[at + 1] >= "\u2e80":
                yield text[at : at + 2]


def label(text: str) -> str:
    """What is kept of a label."""
    return "^" + text[:LABEL]

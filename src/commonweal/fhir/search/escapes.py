"""Separators and escapes in the values of a search: https://hl7.org/fhir/R4/search.html#escaping."""

from __future__ import annotations

SEPARATORS = ",$|\\"


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that have no backslash before them; the parts keep their escapes."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, escaped = [], 0, False
    for at, char in enumerate(text):
        if char == separator and not escaped:
            parts.append(text[start:at])
            start = at + 1
        escaped = char == "\\" and not escaped
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    r"""`\,` `\$` `\|` `\\` as the character itself; a backslash before anything else stays."""
    if "\\" not in text:
        return text
    out, chars = [], iter(text)
    for char in chars:
        following = next(chars, "") if char == "\\" else ""
        out.append(following if following and following in SEPARATORS else char + following)
    return "".join(out)


def escape(text: str) -> str:
    """The text as one plain value of a search."""
    return "".join("\\" + char if char in SEPARATORS else char for char in text)

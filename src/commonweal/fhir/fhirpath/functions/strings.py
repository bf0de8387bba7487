"""String manipulation, https://hl7.org/fhirpath/N1/#string-manipulation.

Patterns run on RE2, whose time is linear in the text: no pattern can hold the server.
"""

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from commonweal.fhir.fhirpath.context import Context, text_within
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Function, eager, scalar, single
from commonweal.fhir.fhirpath.values import Collection, Item

re2: Any = import_module("re2")
FLAGS = frozenset("im")
LONGEST_PATTERN = 10_000
GROUP = re.compile(r"\$(?:(\d{1,2})|\{(\w+)\}|(\$))")
JSON_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|(["\\/bfnrt]))')
JSON_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def substring(text: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(0, length)]


def replace(text: str, pattern: str, substitution: str) -> str:
    times = len(text) + 1 if not pattern else text.count(pattern)
    if len(text) + times * len(substitution) > 4 * len(text) + 100_000:
        raise PathError("replace() would build too long a text")
    return text_within(text.replace(pattern, substitution))


@lru_cache(maxsize=128)
def pattern_of(pattern: str, flags: str) -> Any:
    """A compiled pattern; `.` matches line ends too, flags are i (any case) and m (^ and $ at every line)."""
    if not set(flags) <= FLAGS:
        raise PathError(f"The flags of a pattern are i and m, not {flags!r}")
    if len(pattern) > LONGEST_PATTERN:
        raise PathError(f"The pattern is longer than {LONGEST_PATTERN} characters")
    try:
        return re2.compile(f"(?s{''.join(sorted(set(flags)))}){pattern}", OPTIONS)
    except re2.error as reason:
        why = reason.args[0].decode(errors="replace") if reason.args else "it is no pattern"
        raise PathError(f"The pattern {pattern[:60]!r} cannot be used: {why}") from None


OPTIONS = re2.Options()
OPTIONS.log_errors = False
OPTIONS.max_mem = 2 << 20


def cost_of_pattern(text: str, pattern: str, *rest: str) -> int:
    """RE2 takes time in proportion to text and pattern, some 1,000 of both a step."""
    return len(text) * (len(pattern) + 10) // 1000


def matches(text: str, pattern: str, flags: str = "") -> bool:
    return bool(pattern_of(pattern, flags).search(text))


def matches_full(text: str, pattern: str, flags: str = "") -> bool:
    return bool(pattern_of(f"^(?:{pattern})$", flags).search(text))


def replace_matches(text: str, pattern: str, substitution: str, flags: str = "") -> str:
    if not pattern:
        return text
    parts: list[str] = []
    at = size = 0
    for match in pattern_of(pattern, flags).finditer(text):
        parts += (text[at : match.start()], filled(substitution, match))
        size += len(parts[-1]) + len(parts[-2])
        if size > len(text) * 4 + 100_000:
            raise PathError("replaceMatches() would build too long a text")
        at = match.end()
    return text_within("".join(parts) + text[at:])


def filled(substitution: str, match: Any) -> str:
    """The substitution with `$1` and `${name}` replaced by what the groups caught."""

    def group(found: re.Match[str]) -> str:
        if found[3]:
            return "$"
        try:
            return match.group(int(found[1]) if found[1] else found[2]) or ""
        except (IndexError, KeyError):
            raise PathError(f"The pattern has no group {found[0]}") from None

    return GROUP.sub(group, substitution)


def split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def join(ctx: Context, items: Collection, *given: Collection) -> Collection:
    separator = single(given[0], "text", "join") if given else None
    texts = [item.value if item.__class__ is Item else item for item in items]
    texts = [text for text in texts if text is not None]
    if any(text.__class__ is not str for text in texts):
        raise PathError("join() takes strings only")
    ctx.spend(len(texts))
    return [text_within((separator or "").join(texts))] if texts else []


def encode(text: str, form: str) -> str | None:
    run = ENCODERS.get(form)
    return None if run is None else run(text.encode()).decode("ascii")


def decode(text: str, form: str) -> str | None:
    run = DECODERS.get(form)
    if run is None:
        return None
    try:
        return run(text.encode()).decode()
    except (binascii.Error, ValueError):
        raise PathError(f"The text is no {form}") from None


ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "urlbase64": base64.urlsafe_b64encode,
    "hex": binascii.hexlify,
}
DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "base64": lambda data: base64.b64decode(data, validate=True),
    "urlbase64": lambda data: base64.b64decode(data, b"-_", validate=True),
    "hex": binascii.unhexlify,
}


def escape(text: str, form: str) -> str | None:
    if form == "html":
        return text_within(html.escape(text))
    return text_within(json.dumps(text, ensure_ascii=False)[1:-1]) if form == "json" else None


def unescape(text: str, form: str) -> str | None:
    if form == "html":
        return html.unescape(text)
    if form != "json":
        return None
    plain = JSON_ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else JSON_ESCAPED.get(m[2], m[2]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def text(name: str, run: Callable[..., Any], *arguments: str, optional: int = 0) -> tuple[str, Function]:
    return name, scalar(name, run, "text", *arguments, optional=optional)


def pattern(name: str, run: Callable[..., Any], *arguments: str) -> tuple[str, Function]:
    return name, scalar(name, run, "text", *arguments, "text", optional=1, cost=cost_of_pattern)


TABLE: Mapping[str, Function] = {
    **dict(
        [
            text("indexOf", str.find, "text"),
            text("lastIndexOf", str.rfind, "text"),
            text("substring", substring, "whole", "whole", optional=1),
            text("startsWith", str.startswith, "text"),
            text("endsWith", str.endswith, "text"),
            text("contains", str.__contains__, "text"),
            text("upper", str.upper),
            text("lower", str.lower),
            text("replace", replace, "text", "text"),
            pattern("matches", matches, "text"),
            pattern("matchesFull", matches_full, "text"),
            pattern("replaceMatches", replace_matches, "text", "text"),
            text("length", len),
            text("toChars", list),
            text("split", split, "text"),
            text("trim", str.strip),
            text("encode", encode, "text"),
            text("decode", decode, "text"),
            text("escape", escape, "text"),
            text("unescape", unescape, "text"),
        ]
    ),
    "join": eager(join, 0, 1),
}

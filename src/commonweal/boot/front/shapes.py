"""Requests that are shaped as no honest one is: refused before anything is done with them.

https://www.rfc-editor.org/rfc/rfc9112#name-security-considerations
"""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from commonweal.fhir.outcome import Problem, issue

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ONCE = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"origin")
"""Headers whose meaning would depend on who reads them, came they twice."""
HIDDEN = (b"%2f", b"%5c", b"%00", b"%2e%2e", b"%0a", b"%0d")
"""In a path: what means one thing to a proxy that leaves it coded, and another to one that decodes it."""

MOST_HEADERS = 100
Headers = Sequence[tuple[bytes, bytes]]


def fault(
    scope: MutableMapping[str, Any], named: Mapping[bytes, bytes], url: int, header: int
) -> Problem | None:
    """What is wrong with a request, if anything is; `url` and `header` are the most bytes of each."""
    if scope["method"] not in METHODS:
        return Problem.of("cw-method-not-allowed", method=scope["method"][:20])
    path: str = scope["path"]
    if len(path) + len(scope["query_string"]) > url:
        return Problem.of("cw-url-too-long", limit=url)
    headers: Headers = scope["headers"]
    if len(headers) > MOST_HEADERS or _bytes(named, headers) > header:
        return Problem.of("cw-headers-too-long", limit=header)
    if len(named) != len(headers) and (twice := _twice(headers)):
        return Problem.invalid(f"the header {twice.decode()} came twice")
    if b"transfer-encoding" in named and b"content-length" in named:
        return Problem.invalid("the body has two lengths")
    if "//" in path or "\\" in path or "/." in path or path[:1] != "/" or b"%" in scope.get("raw_path", b""):
        return _path_fault(path, scope.get("raw_path", b"").lower())
    return None


def misdirected() -> Problem:
    """https://www.rfc-editor.org/rfc/rfc9110#name-421-misdirected-request"""
    return Problem(421, (issue("cw-invalid", why="this server does not answer under that name"),))


def _bytes(named: Mapping[bytes, bytes], headers: Headers) -> int:
    if len(named) == len(headers):
        return sum(map(len, named)) + sum(map(len, named.values()))
    return sum(len(name) + len(value) for name, value in headers)


def _twice(headers: Headers) -> bytes | None:
    names = [name for name, _ in headers]
    return next((name for name in ONCE if names.count(name) > 1), None)


def _path_fault(path: str, raw: bytes) -> Problem | None:
    if not path.startswith("/") or "//" in path or "\\" in path or {".", ".."} & set(path.split("/")):
        return Problem.invalid("the path holds '//', '\\', '.' or '..'")
    if any(each in raw for each in HIDDEN):
        return Problem.invalid("the path holds a coded slash, dot or control character")
    return None

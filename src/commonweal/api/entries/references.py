"""References between the entries of a transaction, made into references to what was written.

https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem, issue
from commonweal.fhir.reference import references, rewrite

Json = dict[str, Any]

REFERENCE = re.compile(rb'("reference"\s*:\s*")([^"\\]*)"')
CONDITIONAL = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]+\?[^"\\]*)"')
SEARCH = re.compile(r"[A-Z][A-Za-z]+\?.*")
ESCAPED = re.compile(rb'"reference"\s*:\s*"[^"]*\\|\\u00[2-7]')
INSIDE = ("urn:uuid:", "urn:oid:")
INSIDE_BYTES = tuple(start.encode() for start in INSIDE)


class Targets:
    """What each name of an entry stands for: fullUrl or condition → "Type/id".

    Only whole values of `reference` are replaced in the bytes. Where a name stands elsewhere too (in a
    uri, in the narrative) or bytes are escaped, the resource is decoded and every place FHIR names is replaced.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        starts = {*INSIDE, *filter(None, map(_start_of, names))}
        self._starts = tuple(start.encode() for start in starts)
        self._mention = re.compile(rb"(?:%b)[A-Za-z0-9/.:_-]*" % b"|".join(map(re.escape, self._starts)))
        self._seen: dict[str, dict[bytes, bytes]] = {}

    def put_into(self, body: bytes, full_url: str) -> bytes | Json:
        """The resource with its references replaced; Problem 422 for one that leads nowhere in the Bundle."""
        start = _start_of(full_url)
        if b"\\" in body and ESCAPED.search(body):
            return self._decoded(body, start)
        names, missing = self._seen_from(start), []

        def replaced(found: re.Match[bytes]) -> bytes:
            target = names.get(found[2])
            if target is not None:
                return b'%b%b"' % (found[1], target)
            if found[2].startswith(INSIDE_BYTES):
                missing.append(found[2].decode())
            return found[0]

        body = REFERENCE.sub(replaced, body)
        if missing:
            raise _lost(missing)
        if any(each in body for each in self._starts) and self._mentions(body, names):
            return self._decoded(body, start)
        return body

    def _mentions(self, body: bytes, names: Mapping[bytes, bytes]) -> bool:
        return any(mention[0] in names for mention in self._mention.finditer(body))

    def _decoded(self, body: bytes, start: str) -> Json:
        names = {name.decode(): target.decode() for name, target in self._seen_from(start).items()}
        resource = rewrite(codec.check(body), names)
        missing = [each["reference"] for each in references(resource) if each["reference"].startswith(INSIDE)]
        if missing:
            raise _lost(missing)
        return resource

    def _seen_from(self, start: str) -> dict[bytes, bytes]:
        """The names as an entry below `start` says them: those beside it are relative there."""
        if start not in self._seen:
            beside = {n[len(start) :]: t for n, t in self._names.items() if start and n.startswith(start)}
            every = {**self._names, **beside}
            self._seen[start] = {name.encode(): target.encode() for name, target in every.items()}
        return self._seen[start]


def conditions_in(body: bytes) -> list[str]:
    """The conditional references of a resource: https://hl7.org/fhir/R4/http.html#trules."""
    if b"?" not in body:
        return []
    if b"\\" in body and ESCAPED.search(body):
        return [text for each in references(codec.check(body)) if SEARCH.fullmatch(text := each["reference"])]
    return [text.decode("utf-8", "replace") for text in CONDITIONAL.findall(body)]


def _start_of(full_url: str) -> str:
    """The address below which an entry's relative references are meant: its own without type and id."""
    parts = full_url.rsplit("/", 2)
    return f"{parts[0]}/" if len(parts) == 3 and full_url.startswith("http") else ""


def _lost(names: Iterable[str]) -> Problem:
    return Problem.unprocessable(issue("cw-unresolved-reference", reference=name[:200]) for name in names)

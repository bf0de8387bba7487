"""References between the entries of a transaction, made into references to what was written.

https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem, issue
from commonweal.fhir.reference import rewrite

Json = dict[str, Any]

REFERENCE = re.compile(rb'("reference"\s*:\s*")([^"\\]*)"')
CONDITIONAL = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]+\?[^"\\]+)"')
ESCAPED = re.compile(rb'"reference"\s*:\s*"[^"]*\\|\\u00[2-7]')
INSIDE = (b"urn:uuid:", b"urn:oid:")


class Targets:
    """What each name of an entry stands for: fullUrl or condition → "Type/id".

    Only whole values of `reference` are replaced in the bytes. Where a name stands elsewhere too (in a
    uri, in the narrative) or bytes are escaped, the resource is decoded and every place FHIR names is replaced.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._bytes = {name.encode(): target.encode() for name, target in names.items()}
        starts = {*INSIDE, *filter(None, map(_start_of, names))}
        self._mention = re.compile(rb"(?:%b)[A-Za-z0-9/.:_-]*" % b"|".join(map(re.escape, sorted(starts))))

    def put_into(self, body: bytes, full_url: str) -> bytes | Json:
        """The resource with its references replaced; Problem 422 for one that leads nowhere in the Bundle."""
        if ESCAPED.search(body):
            return self._decoded(body)
        start, missing = _start_of(full_url), []

        def replaced(found: re.Match[bytes]) -> bytes:
            name = found[2]
            target = self._bytes.get(name) or (self._bytes.get(start + name) if start else None)
            if target is None:
                if name.startswith(INSIDE):
                    missing.append(name.decode())
                return found[0]
            return b'%b%b"' % (found[1], target)

        body = REFERENCE.sub(replaced, body)
        if missing:
            raise _lost(missing)
        if any(mention[0] in self._bytes for mention in self._mention.finditer(body)):
            return self._decoded(body)
        return body

    def _decoded(self, body: bytes) -> Json:
        return rewrite(codec.check(body), self._names)


def conditions_in(bodies: Iterable[bytes]) -> list[str]:
    """The conditional references of all bodies, each once: https://hl7.org/fhir/R4/http.html#trules."""
    found = dict.fromkeys(text for body in bodies for text in CONDITIONAL.findall(body))
    return [text.decode("utf-8", "replace") for text in found]


def _start_of(full_url: str) -> bytes:
    """The address below which an entry's relative references are meant: its own without type and id."""
    parts = full_url.rsplit("/", 2)
    return f"{parts[0]}/".encode() if len(parts) == 3 and full_url.startswith("http") else b""


def _lost(names: Iterable[str]) -> Problem:
    return Problem.unprocessable(issue("cw-unresolved-reference", reference=name[:200]) for name in names)

"""Definitions by their canonical address: https://hl7.org/fhir/R4/references.html#canonical.

What needs definitions is a pure function of a `Lookup`. Where they have to be read first, it is asked with `Read`,
which raises `Unread` for the next one that is missing, and asked again once that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
Lookup = Callable[[str, str], Json | None]
"""lookup("ValueSet", "http://…|1.0") is the definition; None: nobody here knows it."""


class Unread(Exception):
    """This definition has not been looked for yet."""

    def __init__(self, type: str, canonical: str) -> None:
        super().__init__(f"{type} {canonical}")
        self.type = type
        self.canonical = canonical


class Read:
    """The definitions read so far, as a `Lookup`."""

    def __init__(self) -> None:
        self._there: dict[tuple[str, str], Json | None] = {}

    def __call__(self, type: str, canonical: str) -> Json | None:
        if (type, canonical) not in self._there:
            raise Unread(type, canonical)
        return self._there[type, canonical]

    def closed(self) -> Known:
        """All that was read; of anything else nothing is known."""
        return Known({key: found for key, found in self._there.items() if found is not None})

    def put(self, asked: Unread, found: Json | None) -> None:
        self._there[asked.type, asked.canonical] = found


class Known:
    """A `Lookup` in definitions that are at hand."""

    def __init__(self, definitions: Mapping[tuple[str, str], Json]) -> None:
        self._there = definitions

    def __call__(self, type: str, canonical: str) -> Json | None:
        return self._there.get((type, canonical))


def split(canonical: str) -> tuple[str, str]:
    """The address and the version that it names, "" for any."""
    url, _, version = canonical.partition("|")
    return url, version


def is_meant(definition: Json, canonical: str) -> bool:
    """Is this the definition that the canonical names?"""
    url, version = split(canonical)
    return definition.get("url") == url and version in ("", definition.get("version"))

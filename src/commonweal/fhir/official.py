"""Definitions of R4 itself: its profiles, and the CodeSystems and ValueSets that consist of HL7's own codes.

https://hl7.org/fhir/R4/profilelist.html and https://hl7.org/fhir/R4/terminologies.html. Of profiles what they
constrain, of the others codes, displays, hierarchy and composition. SNOMED CT, LOINC and other owners' terminologies
are brought in as records by whoever may use them.
"""

from __future__ import annotations

import lzma
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from commonweal.fhir.canonical import is_meant, split

Json = dict[str, Any]


def official(type: str, canonical: str) -> Json | None:
    """The definition with this address; None when R4 has none, or none of this version."""
    key = (type, split(canonical)[0])
    found = _read(*key) if key in _lines() else None  # what anybody asks for is not kept in mind
    return found if found is not None and is_meant(found, canonical) else None


@cache
def _read(type: str, url: str) -> Json:
    definition: Json = _decode(_lines()[type, url])
    return definition


_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@cache
def _lines() -> dict[tuple[str, str], bytes]:
    """Undecoded definitions by type and address: most processes touch a handful."""
    packed = (files("commonweal.fhir") / "definitions" / "official.jsonl.xz").read_bytes()
    rows = lzma.decompress(packed).splitlines()
    read = msgspec.json.Decoder(tuple[str, str, msgspec.Raw]).decode
    return {(type, url): bytes(definition) for type, url, definition in map(read, rows)}

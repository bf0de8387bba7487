"""The CodeSystems and ValueSets of R4 that consist of HL7's own codes: https://hl7.org/fhir/R4/terminologies.html.

Codes, displays, hierarchy and composition only. SNOMED CT, LOINC and other owners' terminologies are brought in as
records by whoever may use them.
"""

from __future__ import annotations

import lzma
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from commonweal.fhir.canonical import is_meant, split

Json = dict[str, Any]


def official(type: str, canonical: str) -> Json | None:
    """The definition with this address; None when R4 has none, or none of this version."""
    found = _read(type, split(canonical)[0])
    return found if found is not None and is_meant(found, canonical) else None


@cache
def _read(type: str, url: str) -> Json | None:
    line = _lines().get((type, url))
    if line is None:
        return None
    definition: Json = msgspec.json.decode(line)
    return definition


@cache
def _lines() -> dict[tuple[str, str], bytes]:
    """Undecoded definitions by type and address: most processes touch a handful."""
    packed = (files("commonweal.fhir") / "definitions" / "terminology.jsonl.xz").read_bytes()
    rows = lzma.decompress(packed).splitlines()
    read = msgspec.json.Decoder(tuple[str, str, msgspec.Raw]).decode
    return {(type, url): bytes(definition) for type, url, definition in map(read, rows)}

"""The invariants of each FHIR type: https://hl7.org/fhir/R4/conformance-rules.html#constraints (generated data).

Left out are those that the structure itself keeps (ele-1, txt-1).
"""

from __future__ import annotations

from functools import cache

import msgspec

from commonweal.fhir.elements import base_path, model_lines


class Invariant(msgspec.Struct, frozen=True, array_like=True):
    """A FHIRPath that is true of every value of a type, or of its child `element`."""

    element: str
    key: str
    severity: str
    human: str
    expression: str


@cache
def invariants(type_path: str) -> tuple[Invariant, ...]:
    """Those of "Patient", "Patient.contact" or "Period", with those of what it specialises."""
    line = model_lines("invariants.jsonl").get(type_path, b"[]")
    own = msgspec.json.decode(line, type=tuple[Invariant, ...])
    base = base_path(type_path)
    return (*invariants(base), *own) if base else own

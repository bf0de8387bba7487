"""The codes of required bindings that can be listed: https://hl7.org/fhir/R4/terminologies.html#required."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


@cache
def systems_of(value_set: str) -> dict[str, frozenset[str]] | None:
    """System → codes of a value set; None when they cannot be listed (UCUM, MIME types …)."""
    return _value_sets().get(value_set)


@cache
def codes_of(value_set: str) -> frozenset[str] | None:
    """The codes alone, for elements of type code, which carry no system."""
    systems = systems_of(value_set)
    return None if systems is None else frozenset().union(*systems.values())


@cache
def _value_sets() -> dict[str, dict[str, frozenset[str]]]:
    text = (files("commonweal.fhir") / "model" / "codes.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, frozenset[str]]])

"""Which place lies in which: https://hl7.org/fhir/R4/location-definitions.html#Location.partOf."""

from collections.abc import Mapping
from typing import Any

from commonweal.fhir import reference

Json = dict[str, Any]

CIRCLE = "A place cannot lie within itself."


def part_of(location: Json, bases: tuple[str, ...] = ()) -> str | None:
    """The place ("Location/x") of which this one is a part."""
    text = location.get("partOf", {}).get("reference")
    found = reference.parse(text, bases) if isinstance(text, str) else None
    return found.target if found is not None and found.kind == "local" and found.type == "Location" else None


def upwards(place: str, parts: Mapping[str, str | None]) -> list[str]:
    """The place, what it is part of, what that is part of, and so on; up to where a circle closes."""
    found: list[str] = []
    at: str | None = place
    while at is not None and at not in found:
        found.append(at)
        at = parts.get(at)
    return found


def is_circle(place: str, parts: Mapping[str, str | None]) -> bool:
    """Would it lie within itself, or within what does?"""
    return parts.get(upwards(place, parts)[-1]) is not None

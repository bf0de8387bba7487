"""Where a place lies and how far it reaches."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from commonweal.access.decision import YES
from commonweal.platform import Decision, decide
from commonweal.services.registry.rules import numbers

Json = dict[str, Any]

BOUNDARY = "http://hl7.org/fhir/StructureDefinition/location-boundary-geojson"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The ids of the places around, the nearest first; `missing`: the last of them leads to nothing."""

    around: tuple[str, ...] = ()
    missing: bool = False
    levels_most: int = 10
    points_most: int = 20_000
    bytes_most: int = 2_000_000


def may_lie_there(place: Json, found: Surroundings) -> Decision:
    """May the place be part of what it says? That exists, in no circle, not too deep."""
    circle = place.get("id") in found.around or len(set(found.around)) < len(found.around)
    deep = not circle and len(found.around) >= found.levels_most
    return decide(
        (not found.missing, "the place that it is part of does not exist"),
        (not circle, "it would be part of itself"),
        (not deep, f"no more than {found.levels_most} places may lie in each other"),
    )


def may_be_coded(place: Json, _: object = None) -> Decision:
    """Are its codes possible? An area's by GB/T 2260."""
    decision = YES
    for identifier in place.get("identifier", []):
        decision = decision & numbers.may_identify(identifier)
    return decision


def may_reach(place: Json, found: Surroundings) -> Decision:
    """Is its boundary, where it has one, closed rings on the earth, and not too large to draw?"""
    attached = [
        e["valueAttachment"]
        for e in place.get("extension", [])
        if e["url"] == BOUNDARY and "valueAttachment" in e
    ]
    decision = decide((len(attached) < 2, "a place has one boundary"))
    for each in attached:
        if "data" in each:
            decision = decision & is_boundary(each["data"], found.bytes_most, found.points_most)
    return decision


def is_boundary(data: str, bytes_most: int, points_most: int) -> Decision:
    """Is this base64 text a boundary as GeoJSON (RFC 7946)? A Polygon or MultiPolygon, bare or as a Feature."""
    if len(data) > bytes_most * 4 // 3 + 4:
        return Decision((f"a boundary has at most {bytes_most} bytes",))
    try:
        shape = json.loads(base64.b64decode(data, validate=True))
        rings = list(_rings(shape))
    except (binascii.Error, UnicodeDecodeError, ValueError, RecursionError, TypeError, KeyError):
        return Decision(("a boundary is the GeoJSON of a Polygon or MultiPolygon",))
    return decide(
        (rings, "a boundary has at least one ring"),
        (sum(map(len, rings)) <= points_most, f"a boundary has at most {points_most} points"),
        (all(len(ring) > 3 for ring in rings), "a ring has four points or more"),
        (all(ring and ring[0] == ring[-1] for ring in rings), "a ring ends where it begins"),
        (all(_is_on_earth(point) for ring in rings for point in ring), "a point is longitude, then latitude"),
    )


def _rings(shape: Json) -> Iterator[list[Any]]:
    geometry = shape["geometry"] if shape["type"] == "Feature" else shape
    polygons = {"Polygon": lambda c: [c], "MultiPolygon": list}[geometry["type"]](geometry["coordinates"])
    for polygon in polygons:
        for ring in polygon:
            if not isinstance(ring, list):
                raise TypeError
            yield ring


def _is_on_earth(point: Any) -> bool:
    if not isinstance(point, list) or not 2 <= len(point) <= 3:
        return False
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in point):
        return False
    return bool(-180 <= point[0] <= 180 and -90 <= point[1] <= 90)

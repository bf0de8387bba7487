"""Reading one value of a search parameter: https://hl7.org/fhir/R4/search.html#ptypes.

Every reader raises ValueError with the reason when the text is no value of its type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from commonweal.fhir import reference, ucum
from commonweal.fhir.elements import RESOURCE_TYPES, is_resource_type
from commonweal.fhir.search import dates, numbers
from commonweal.fhir.search.escapes import split, unescape
from commonweal.fhir.search.parameters import Parameter
from commonweal.fhir.search.strings import normalise
from commonweal.fhir.search.values import (
    PREFIXES,
    CompositeValue,
    DateValue,
    MissingValue,
    NearValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
    WordsValue,
)
from commonweal.fhir.search.words import asked

Expand = Callable[[str, str, str], Iterable[tuple[str, str]]]
"""(system, code) pairs of expand("in", value set, ""), expand("below", system, code) and expand("above", …).

ValueError says why there are none."""

EARTH = 6371.0088
"""Mean radius in kilometres (IUGG)."""
NEARBY = "50"
"""Kilometres of `near` when it states no distance."""

_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a value is read with: its parameter and modifier, our addresses, and a terminology if there is one."""

    parameter: Parameter
    modifier: str | None = None
    bases: tuple[str, ...] = ()
    expand: Expand | None = None


def value(raw: str, reading: Reading) -> Value:
    """One value (escapes still in it)."""
    if reading.modifier in BY_MODIFIER:
        return BY_MODIFIER[reading.modifier](raw, reading)
    if reading.parameter.has_words:
        return words(raw, reading)
    return BY_TYPE[reading.parameter.type](raw, reading)


def missing(raw: str, _: Reading) -> MissingValue:
    if raw not in ("true", "false"):
        raise ValueError(f"it must be true or false, not {raw!r}")
    return MissingValue(raw, raw == "true")


def string(raw: str, _: Reading) -> StringValue:
    text = unescape(raw)
    return StringValue(raw, normalise(text), text)


def words(raw: str, _: Reading) -> WordsValue:
    found = asked(unescape(raw))
    if not found:
        raise ValueError(f"there is no word in {raw!r:.80}")
    return WordsValue(raw, found)


def uri(raw: str, _: Reading) -> UriValue:
    return UriValue(raw, unescape(raw))


def token(raw: str, reading: Reading) -> TokenValue:
    if reading.modifier in EXPANDED and reading.parameter.type == "token":
        return _expanded(raw, reading)
    parts = [unescape(part) for part in split(raw, "|")]
    if len(parts) > 2:
        raise ValueError(f"{raw!r} has more than one '|'; write one that belongs to a code as '\\|'")
    if len(parts) == 1:
        return TokenValue(raw, None, parts[0])
    system, code = parts
    if not system and not code:
        raise ValueError("it states neither a system nor a code")
    return TokenValue(raw, "" if system in reading.parameter.implied else system, code or None)


def _expanded(raw: str, reading: Reading) -> TokenValue:
    if reading.expand is None or reading.modifier is None:
        raise ValueError("there is no terminology here that could expand it")
    modifier, implied = EXPANDED[reading.modifier], reading.parameter.implied
    about = (unescape(raw), "") if modifier == "in" else _coded(raw, implied)
    pairs = {("" if s in implied else s, c) for s, c in reading.expand(modifier, *about)}
    return TokenValue(raw, None, None, tuple(sorted(pairs)))


def _coded(raw: str, implied: tuple[str, ...]) -> tuple[str, str]:
    """The system and the code whose place in the hierarchy is meant; a plain code is of the one system there is."""
    parts = [unescape(part) for part in split(raw, "|")]
    if len(parts) == 1 and len(implied) == 1:
        parts = [*implied, *parts]
    if len(parts) != 2 or not all(parts):
        raise ValueError("it must have the form system|code, with both parts")
    return parts[0], parts[1]


def of_type(raw: str, _: Reading) -> TokenValue:
    parts = [unescape(part) for part in split(raw, "|")]
    if len(parts) != 3 or not all(parts):
        raise ValueError("it must have the form system|code|value, with all three parts")
    return TokenValue(raw, parts[0], f"{parts[1]}|{parts[2]}")


def refer(raw: str, reading: Reading) -> ReferenceValue:
    text = unescape(raw)
    wanted = reading.modifier if reading.modifier and is_resource_type(reading.modifier) else None
    if reference.ID.fullmatch(text):
        types = (wanted,) if wanted else reading.parameter.targets or sorted(RESOURCE_TYPES)
        return ReferenceValue(raw, tuple(f"{type}/{text}" for type in types))
    found = reference.parse(text, reading.bases)
    if found.kind not in ("local", "absolute", "urn") and ":" not in text:
        raise ValueError(f"{text!r} is neither an id, nor Type/id, nor an address")
    if wanted and found.type != wanted:
        raise ValueError(f"{text!r} is no {wanted}")
    return ReferenceValue(raw, (found.target,))


def date(raw: str, _: Reading) -> DateValue:
    prefix, text = _prefixed(raw)
    lo, hi = dates.span(unescape(text))
    if prefix == "ap":
        lo, hi = dates.approximate(lo, hi)
    return DateValue(raw, prefix, lo, hi)


def number(raw: str, _: Reading) -> NumberValue:
    prefix, text = _prefixed(raw)
    stated = _decimal(text)
    return NumberValue(raw, prefix, stated, *numbers.closed(*numbers.around(stated, prefix)))


def quantity(raw: str, _: Reading) -> QuantityValue:
    prefix, text = _prefixed(raw)
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) not in (1, 3):
        raise ValueError("it must have the form number, number||code or number|system|code")
    stated = _decimal(parts[0])
    lo, hi = numbers.around(stated, prefix)
    system, code = parts[1:] if len(parts) == 3 else ("", "")
    if not system:
        return QuantityValue(raw, prefix, stated, *numbers.closed(lo, hi), "", code or None)
    if not code:
        raise ValueError("it states a system but no code")
    low, unit = numbers.united(lo, system, code)
    high, unit = numbers.united(hi, system, code)
    return QuantityValue(raw, prefix, stated, *numbers.closed(low, high), unit, "")


def _prefixed(raw: str) -> tuple[str, str]:
    return (raw[:2], raw[2:]) if raw[:2] in PREFIXES else ("eq", raw)


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    return Decimal(text)


def composite(raw: str, reading: Reading) -> CompositeValue:
    parts = split(raw, "$")
    components = reading.parameter.components
    if len(parts) != len(components):
        names = "$".join(each.name for each in components)
        raise ValueError(f"it must have the form {names}")
    read = [
        value(part, Reading(each, None, reading.bases, reading.expand))
        for part, each in zip(parts, components, strict=True)
    ]
    return CompositeValue(raw, tuple(read))


def near(raw: str, _: Reading) -> NearValue:
    """latitude|longitude[|distance[|units]]; units are UCUM, km if not stated."""
    parts = [unescape(part) for part in split(raw, "|")]
    if not 2 <= len(parts) <= 4:
        raise ValueError("it must have the form latitude|longitude|distance|units")
    latitude, longitude = float(_decimal(parts[0])), float(_decimal(parts[1]))
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError("latitude is from -90 to 90 and longitude from -180 to 180")
    distance = ucum.exact(
        _decimal(parts[2] if parts[2:] and parts[2] else NEARBY), "".join(parts[3:]) or "km"
    )
    if distance is None or distance[1] != "m" or distance[0] < 0:
        raise ValueError("the distance must be a length, such as 5|km")
    km = min(float(distance[0]) / 1000, math.pi * EARTH)
    return NearValue(raw, latitude, longitude, km, _box(latitude, longitude, km))


def _box(latitude: float, longitude: float, km: float) -> tuple[float, float, float, float]:
    """South, north, west and east of a circle, a little wider than needed."""
    angle = km / EARTH * 1.000001 + 1e-9
    south, north = latitude - math.degrees(angle), latitude + math.degrees(angle)
    if south <= -90 or north >= 90:
        return max(south, -90.0), min(north, 90.0), -180.0, 180.0
    width = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(latitude)))))
    return south, north, _around(longitude - width), _around(longitude + width)


def _around(longitude: float) -> float:
    """From -180 to 180."""
    return (longitude + 180) % 360 - 180


EXPANDED = {"in": "in", "not-in": "in", "below": "below", "above": "above"}
"""Modifiers of tokens that a terminology has to expand, and what it is asked."""

Reader = Callable[[str, Reading], Value]
BY_MODIFIER: dict[str | None, Reader] = {
    "missing": missing,
    "text": string,
    "of-type": of_type,
    "identifier": token,
}
BY_TYPE: dict[str, Reader] = {
    "string": string,
    "uri": uri,
    "token": token,
    "reference": refer,
    "date": date,
    "number": number,
    "quantity": quantity,
    "composite": composite,
    "special": near,
}

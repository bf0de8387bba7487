"""From text to resources and back: https://hl7.org/fhir/R4/json.html."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, TypeVar, cast, overload

import msgspec

from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.limits import LIMITS as LIMITS
from commonweal.fhir.outcome import Json, Problem, issue
from commonweal.fhir.primitives import admit
from commonweal.fhir.structure import class_of, issues_of

S = TypeVar("S", bound=msgspec.Struct)

_SPACE = b" \t\r\n"
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def check(body: bytes, type: str | None = None) -> Json:
    """The parsed resource, if it is well formed (and of `type`, if one is given).

    Problem 413 (size, number of values), 400 (no JSON, no UTF-8, too deep, a key twice, no resource), or 422
    (structure) with every fault and its place.
    """
    resource, text = _read(body)
    kind = resource["resourceType"]
    if type and kind != type:
        raise Problem.of("cw-type-mismatch", got=kind, wanted=type)
    if kind != "Bundle" and len(body) > LIMITS.resource_bytes:
        raise Problem.too_large(LIMITS.resource_bytes)
    issues = issues_of(resource, text=text)
    if issues:
        raise Problem.unprocessable(issues)
    return resource


def parse(body: bytes | str) -> Json:
    """Text that we stored ourselves: nothing is checked; decimals keep their digits."""
    resource: Json = _decoder.decode(body)
    return resource


def encode(resource: Json | msgspec.Struct) -> bytes:
    """Compact JSON; decimals are numbers with the digits they came with."""
    return _encoder.encode(resource)


@overload
def decode(cls: type[S], body: bytes | str) -> S: ...
@overload
def decode(cls: str, body: bytes | str) -> msgspec.Struct: ...
def decode(cls: type[S] | str, body: bytes | str) -> msgspec.Struct:
    """The typed view of stored text, by class or by the name of a resource or complex type."""
    wanted = class_of(cls) if isinstance(cls, str) else cls
    try:
        return cast(msgspec.Struct, _typed(wanted).decode(body))
    except msgspec.MsgspecError as error:
        raise Problem.of("cw-not-a-resource", why=f"it does not fit {wanted.__name__}: {error}") from error


@cache
def _typed(cls: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cls, dec_hook=admit, float_hook=Decimal)


def _read(body: bytes) -> tuple[Json, bytes]:
    """JSON of bearable size and depth, every key once, of a known resource type; and its compact text."""
    if len(body) > LIMITS.bundle_bytes:
        raise Problem.too_large(LIMITS.bundle_bytes)
    if len(body) > LIMITS.values and sum(map(body.count, (b",", b"{", b"["))) > LIMITS.values:
        raise Problem.of("cw-too-many", limit=LIMITS.values, what="values")
    value = _parse(body)
    text = encode(value)
    nested = text.count(b"{") + text.count(b"[") > LIMITS.depth and type(value) in (dict, list)
    if nested and _is_deeper(value, LIMITS.depth):
        raise Problem.of("cw-too-deep", limit=LIMITS.depth)
    if text != body and text.translate(None, _SPACE) != body.translate(None, _SPACE):
        _refuse_duplicates(body)
    if type(value) is not dict:
        raise Problem.of("cw-not-a-resource", why="it is not an object")
    kind = value.get("resourceType")
    if type(kind) is not str or kind not in RESOURCE_TYPES:
        raise Problem.of("cw-not-a-resource", "resourceType", why=f"there is no resource type {kind!r:.40}")
    return value, text


def _parse(body: bytes) -> Any:
    try:
        return _decoder.decode(body)
    except UnicodeDecodeError as error:
        raise Problem.of("cw-not-utf8", why=f"{error.reason} at byte {error.start} of a text") from error
    except RecursionError as error:
        raise Problem.of("cw-too-deep", limit=LIMITS.depth) from error
    except (msgspec.ValidationError, ArithmeticError) as error:
        raise Problem.of("cw-number-too-large", why="it has too many digits") from error
    except msgspec.DecodeError as error:
        raise Problem.of("cw-not-json", why=str(error).removeprefix("JSON is malformed: ")) from error


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether JSON has more levels than so many; recurses no deeper than that itself."""
    if not levels:
        return True
    for item in value.values() if type(value) is dict else value:
        if (type(item) is dict or type(item) is list) and _is_deeper(item, levels - 1):
            return True
    return False


class _Twice(dict[str, Any]):
    """An object in which a key came twice."""

    key: str


def _refuse_duplicates(body: bytes) -> None:
    """Exact but slow, so asked only when the text written back differs by more than white space.

    Text with a key twice always differs, for it is written back once; so does harmless text with
    escapes or exponents of its own taste.
    """
    value = json.loads(body, object_pairs_hook=_object, parse_int=str, parse_float=str)
    twice = islice(_twice(value, _root(value)), LIMITS.issues)
    issues = [issue("cw-duplicate-key", place, name=found.key[:64]) for found, place in twice]
    if issues:
        raise Problem(400, issues)


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    twice.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return twice


def _root(value: Any) -> str:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) and kind in RESOURCE_TYPES else "$this"


def _twice(value: Any, path: str) -> Iterator[tuple[_Twice, str]]:
    if isinstance(value, _Twice):
        yield value, path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _twice(item, f"{path}.{key}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _twice(item, f"{path}[{index}]")

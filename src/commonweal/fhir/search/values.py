"""The values of search parameters, parsed: https://hl7.org/fhir/R4/search.html#ptypes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`code`, `system|code`, `|code` (system ""), `system|` (code None).

    `codes`: for :in, :not-in, :above and :below, the (system, code) pairs it was expanded to (else empty).
    For :of-type system is that of the identifier's type and code "type code|value", as they are indexed.
    """

    raw: str
    system: str | None
    code: str | None
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StringValue:
    """`text` normalised as the index is, `exact` with its escapes undone."""

    raw: str
    text: str
    exact: str


@dataclass(frozen=True, slots=True)
class WordsValue:
    """All of these have to be there."""

    raw: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UriValue:
    raw: str
    uri: str


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """`targets`: every spelling to look up in Indexed.references; any of them matches.

    `123` gives "Patient/123", "Group/123" … for the types the parameter (or its :[type]) may point to.
    """

    raw: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DateValue:
    """Microseconds, UTC, both ends inclusive; already widened for the prefix ap."""

    raw: str
    prefix: str
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class NumberValue:
    """Both ends inclusive: implicit precision for eq and ne, ten per cent for ap, else lo = hi = number."""

    raw: str
    prefix: str
    number: Decimal
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """Like NumberValue; lo and hi are to be compared with index entries that have this `unit` and `code`.

    No unit asked: unit "" and code None (any). `5.4||mg`: unit "" and code "mg". `5.4|system|code`: unit is
    the identity used in Indexed.ranges ("system|code", canonical for UCUM) and code "".
    """

    raw: str
    prefix: str
    number: Decimal
    lo: float
    hi: float
    unit: str
    code: str | None


@dataclass(frozen=True, slots=True)
class NearValue:
    """Within `km` of a place; `box` is (south, north, west, east), west > east across the date line."""

    raw: str
    latitude: float
    longitude: float
    km: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MissingValue:
    raw: str
    missing: bool


@dataclass(frozen=True, slots=True)
class CompositeValue:
    """One value for each component of the parameter, in order."""

    raw: str
    parts: tuple[Value, ...]


Value = (
    TokenValue
    | StringValue
    | WordsValue
    | UriValue
    | ReferenceValue
    | DateValue
    | NumberValue
    | QuantityValue
    | NearValue
    | MissingValue
    | CompositeValue
)

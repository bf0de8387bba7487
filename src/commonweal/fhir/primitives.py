"""What a value of each primitive type may look like: https://hl7.org/fhir/R4/datatypes.html#primitive.

Every pattern is linear in time and repeats single characters only, for a repeated group takes memory at each turn.
The official one for base64Binary is neither (it takes seconds for 22 groups of four), so base64 is checked in two
plain steps. `\\s` is read as XML Schema, where these patterns come from, reads it: space, tab, carriage return,
line feed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

from msgspec import Meta

from commonweal.fhir.narrative import narrative_fault

MOST_CHARACTERS = 1024 * 1024
LARGEST_INTEGER = 2**31 - 1
LARGEST_EXPONENT = 308
"""Decimals beyond the range of a double cannot be compared or indexed: they are refused."""

_MONTH = "(?:0[1-9]|1[0-2])"
_DAY = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

TEXT = r"\A[ \t\r\n]*[^\x00-\x20][^\x00-\x08\x0b\x0c\x0e-\x1f]*\Z"
URI = r"\A[^\x00-\x20]+\Z"
CODE = r"(?s)\A(?!.*[ \t\r\n](?:[ \t\r\n]|\Z))[^\x00-\x20][^\x00-\x08\x0b\x0c\x0e-\x1f]*\Z"
ID = r"\A[A-Za-z0-9.-]{1,64}\Z"
OID = r"\Aurn:oid:[0-2](?!.*\.(?:\.|0[0-9]|\Z))\.[0-9.]+\Z"
UUID = r"\Aurn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
DATE = rf"\A(?!0000)(?:{_DAY}|[0-9]{{4}}(?:-{_MONTH})?)\Z"
DATE_TIME = rf"\A(?!0000)(?:{_DAY}(?:T{_TIME}{_ZONE})?|[0-9]{{4}}(?:-{_MONTH})?)\Z"
INSTANT = rf"\A(?!0000){_DAY}T{_TIME}{_ZONE}\Z"
TIME = rf"\A{_TIME}\Z"
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Primitive(NamedTuple):
    """The JSON form of a type, and what is wrong with a value of that form: "" when nothing is."""

    form: str
    fault: Callable[[Any], str]


def _pattern(pattern: str, why: str) -> Primitive:
    search = re.compile(pattern).search
    return Primitive("a string", lambda value: "" if search(value) else why)


def _integer(least: int, why: str) -> Primitive:
    return Primitive("an integer", lambda value: "" if least <= value <= LARGEST_INTEGER else why)


def _text_fault(value: str) -> str:
    if len(value) > MOST_CHARACTERS:
        return "it is longer than 1 MB"
    return "" if re.search(TEXT, value) else "it needs visible text without control characters"


def _base64_fault(value: str) -> str:
    squeezed = value.translate({ord(space): None for space in " \t\r\n"})
    fits = len(squeezed) % 4 == 0 and _BASE64.fullmatch(squeezed)
    return "" if fits else "it is not base64"


def _decimal_fault(value: Decimal | int) -> str:
    fits = abs(Decimal(value).adjusted()) <= LARGEST_EXPONENT
    return "" if fits else f"its exponent is beyond {LARGEST_EXPONENT}"


_TEXT = Primitive("a string", _text_fault)
_ADDRESS = _pattern(URI, "it may not be empty or hold spaces")

PRIMITIVES: dict[str, Primitive] = {
    "base64Binary": Primitive("a string", _base64_fault),
    "boolean": Primitive("true or false", lambda value: ""),
    "canonical": _ADDRESS,
    "code": _pattern(CODE, "a code has no spaces but single ones inside"),
    "date": _pattern(DATE, "a date is a real day as YYYY-MM-DD, or YYYY-MM, or YYYY"),
    "dateTime": _pattern(DATE_TIME, "it is a date, or YYYY-MM-DDThh:mm:ss with a zone, of a real day"),
    "decimal": Primitive("a number", _decimal_fault),
    "id": _pattern(ID, "an id has 1 to 64 letters A-Z a-z, digits, '-' and '.'"),
    "instant": _pattern(INSTANT, "it is YYYY-MM-DDThh:mm:ss with a zone, of a real day"),
    "integer": _integer(-(2**31), "it has 32 bits"),
    "markdown": _TEXT,
    "oid": _pattern(OID, "it is urn:oid:1.2.3"),
    "positiveInt": _integer(1, "it is 1 to 2,147,483,647"),
    "string": _TEXT,
    "time": _pattern(TIME, "it is hh:mm:ss"),
    "unsignedInt": _integer(0, "it is 0 to 2,147,483,647"),
    "uri": _ADDRESS,
    "url": _ADDRESS,
    "uuid": _pattern(UUID, "it is urn:uuid: and a UUID in small letters"),
    "xhtml": Primitive("a string", partial(narrative_fault, may_be_empty=True)),
}
_FORMS: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    Decimal: "a number",
    float: "a number",  # never parsed, but a service may have built one
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def form_of(value: object) -> str:
    """The JSON form of a parsed value, in words."""
    return _FORMS[type(value)]


def has_form(type: str, value: object) -> bool:
    """Whether a value has the JSON form of a primitive type; an integer is a number too."""
    wanted, got = PRIMITIVES[type].form, form_of(value)
    return wanted == got or (wanted == "a number" and got == "an integer")


# The same rules as annotations of the generated classes.
T = TypeVar("T")
Many = Annotated[list[T], Meta(min_length=1)]
String = Annotated[str, Meta(pattern=TEXT, max_length=MOST_CHARACTERS)]
Markdown = String
Uri = Annotated[str, Meta(pattern=URI)]
Url = Uri
Canonical = Uri
Code = Annotated[str, Meta(pattern=CODE)]
Id = Annotated[str, Meta(pattern=ID)]
Oid = Annotated[str, Meta(pattern=OID)]
Uuid = Annotated[str, Meta(pattern=UUID)]
Date = Annotated[str, Meta(pattern=DATE)]
DateTime = Annotated[str, Meta(pattern=DATE_TIME)]
Instant = Annotated[str, Meta(pattern=INSTANT)]
Time = Annotated[str, Meta(pattern=TIME)]
Boolean = bool
Integer = Annotated[int, Meta(ge=-(2**31), le=LARGEST_INTEGER)]
PositiveInt = Annotated[int, Meta(ge=1, le=LARGEST_INTEGER)]
UnsignedInt = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]

if TYPE_CHECKING:
    Number = Decimal
    Base64Binary = str
    Xhtml = str
else:

    class _Admitted(type):
        """What `admit` lets pass is an instance; msgspec asks, as it does not know these types."""

        def __instancecheck__(cls, value):
            return True

    class Number(metaclass=_Admitted):
        """A decimal: msgspec's own Decimal would take a JSON string, which FHIR forbids."""

    class Base64Binary(metaclass=_Admitted):
        """Text that no linear pattern can describe."""

    class Xhtml(metaclass=_Admitted):
        """Text that no pattern can describe."""


_ADMITTED: dict[object, str] = {Number: "decimal", Base64Binary: "base64Binary", Xhtml: "xhtml"}


def admit(kind: type, value: Any) -> Any:
    """msgspec's dec_hook for the three types above; ValueError for what does not fit."""
    if (
        kind is Number
        and type(value) is Decimal
        and -LARGEST_EXPONENT <= value.adjusted() <= LARGEST_EXPONENT
    ):
        return value  # the usual case, at a third of the cost
    name = _ADMITTED[kind]
    if not has_form(name, value) or PRIMITIVES[name].fault(value):
        raise ValueError(f"not a {name}")
    return Decimal(value) if name == "decimal" else value

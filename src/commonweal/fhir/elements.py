"""What elements each FHIR type has: https://hl7.org/fhir/R4/elementdefinition.html (generated data)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

_MODEL = files("commonweal.fhir") / "model"


class Element(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One element of a type. For `value[x]`, `name` is "value", `choice` is true, `types` its many types.

    `path` leads to the children of a backbone element: `elements(element.path)`.
    `attribute` elements (ids, Extension.url) are plain strings that cannot be extended.
    """

    name: str
    types: tuple[str, ...]
    many: bool = False
    required: bool = False
    choice: bool = False
    summary: bool = False
    modifier: bool = False
    attribute: bool = False
    binding: str = ""
    """Canonical of the value set of a required or extensible binding, without its version."""
    strength: str = ""
    """"required" or "extensible" when there is a `binding`."""
    targets: tuple[str, ...] = ()
    """Types that a Reference or canonical may point to; empty: any."""
    path: str = ""

    def forms(self) -> tuple[tuple[str, str], ...]:
        """(JSON name, type) of each form: `valueQuantity`, `valueString` … of a choice, or the one name."""
        if not self.choice:
            return ((self.name, self.types[0]),)
        return tuple((self.name + kind[0].upper() + kind[1:], kind) for kind in self.types)


class Type(msgspec.Struct, frozen=True, array_like=True):
    """One FHIR type: what it specialises, and its kind (primitive-type, complex-type, resource)."""

    base: str
    kind: str
    abstract: bool


TYPES: Mapping[str, Type] = MappingProxyType(
    msgspec.json.decode((_MODEL / "hierarchy.json").read_bytes(), type=dict[str, Type])
)
RESOURCE_TYPES: frozenset[str] = frozenset(
    name for name, each in TYPES.items() if each.kind == "resource" and not each.abstract
)
PRIMITIVE_TYPES: frozenset[str] = frozenset(
    name for name, each in TYPES.items() if each.kind == "primitive-type"
)


def is_resource_type(name: str) -> bool:
    return name in RESOURCE_TYPES


def is_primitive(name: str) -> bool:
    return name in PRIMITIVE_TYPES


def base_of(type: str) -> str:
    """What a type specialises: DomainResource for Patient, string for code; "" at the top."""
    return TYPES[type].base if type in TYPES else ""


def is_a(type: str, ancestor: str) -> bool:
    """Whether a type is `ancestor` or specialises it."""
    while type and type != ancestor:
        type = base_of(type)
    return bool(type)


@cache
def elements(type_path: str) -> Mapping[str, Element]:
    """The elements of "Patient", "Patient.contact" or "HumanName" by name, inherited ones first.

    KeyError for what is no type.
    """
    base, own = _decoder.decode(model_lines("elements.jsonl")[type_path])
    inherited = dict(elements(base)) if base else {}
    return MappingProxyType(inherited | {element.name: element for element in own})


def has_elements(type_path: str) -> bool:
    return type_path in model_lines("elements.jsonl")


def base_path(type_path: str) -> str:
    """What a type or a backbone element specialises: BackboneElement for Patient.contact; "" at the top."""
    return _decoder.decode(model_lines("elements.jsonl")[type_path])[0]


_decoder = msgspec.json.Decoder(tuple[str, tuple[Element, ...]])


@cache
def model_lines(file: str) -> dict[str, bytes]:
    """Undecoded lines of a model file by type path: most processes touch a handful of the types."""
    rows = (_MODEL / file).read_bytes().splitlines()
    return {path.decode(): rest for path, _, rest in (row.partition(b"\t") for row in rows)}

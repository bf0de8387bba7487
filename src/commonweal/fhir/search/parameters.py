"""Search parameters, the official ones of R4 and a service's own: https://hl7.org/fhir/R4/searchparameter.html."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from commonweal.fhir import fhirpath
from commonweal.fhir.elements import RESOURCE_TYPES, is_a
from commonweal.fhir.search.paths import alternatives
from commonweal.fhir.search.words import VISITS, have_words

Json = dict[str, Any]

KINDS = ("number", "date", "string", "token", "reference", "composite", "quantity", "uri")
COLUMNS = ("_id", "_lastUpdated")
"""What a store keeps as columns of its own and the index leaves out."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter as it applies to one resource type.

    `type` is number, date, string, token, reference, composite, quantity, uri or special. `expression` is the
    FHIRPath of this resource type alone; for a component of a composite it starts at the composite's element.
    `targets` are the types a reference may point to (empty: any). `implied` are the systems that a plain
    `code` element stands for: a query that names one of them asks for the code without a system.

    `union`: this parameter yields exactly what these others yield together (Observation.combo-code = code and
    component-code; Patient.phonetic = name). It is then not indexed itself: `names` says where to look.
    `root`: a composite whose context is the resource itself: it is not indexed; it holds when every one of
    its `components`, ordinary parameters of the type, holds. Other composites are in `Indexed.composites`.
    """

    name: str
    type: str
    expression: str = ""
    url: str = ""
    resource: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[Parameter, ...] = ()
    implied: tuple[str, ...] = ()
    union: tuple[Parameter, ...] = ()
    root: bool = False

    @property
    def has_words(self) -> bool:
        """Is it _text or _content: a string by definition, but neither compared nor sorted as strings are?"""
        return self.name in VISITS

    @property
    def names(self) -> tuple[str, ...]:
        """The names its values are indexed under: its own, or those of its union."""
        return tuple(other.name for other in self.union) or (self.name,)

    @property
    def is_indexed(self) -> bool:
        """Whether the index holds values under its own name."""
        return not (self.union or self.root or self.name in COLUMNS)


class Registry:
    """All search parameters: the official ones, and a service's own (SearchParameter resources), which win.

    `bases` are the addresses under which this server is known ("https://example.org/fhir"): absolute
    references below them are read as relative ones, in the index and in queries alike.
    ValueError with one sentence for a SearchParameter that cannot be used.
    """

    def __init__(self, own: Iterable[Json] = (), bases: Iterable[str] = ()) -> None:
        self.bases: tuple[str, ...] = tuple(base.rstrip("/") + "/" for base in bases)
        self._definitions: dict[str, dict[str, Json]] = {}
        self._by_url: dict[str, Json] = {}
        for definition in (*_official(), *map(_checked, own)):
            self._by_url[definition["url"]] = definition
            for base in definition["base"]:
                self._definitions.setdefault(base, {})[definition["code"]] = definition
        self._of: dict[str | None, Mapping[str, Parameter]] = {}

    def of(self, resource_type: str | None) -> Mapping[str, Parameter]:
        """Every parameter of a type by name; of None (search over all types): those that every type has."""
        if resource_type not in self._of:
            self._of[resource_type] = MappingProxyType(self._parameters(resource_type or "Resource"))
        return self._of[resource_type]

    def _parameters(self, type: str) -> dict[str, Parameter]:
        bases = [base for base in ("Resource", "DomainResource", type) if is_a(type, base)]
        definitions = {
            k: v for base in dict.fromkeys(bases) for k, v in self._definitions.get(base, {}).items()
        }
        simple = {name: found for name, each in definitions.items() if (found := _simple(each, type))}
        simple = _with_unions(simple, {name: _yields(definitions[name], type) for name in simple})
        composite = {
            name: found
            for name, each in definitions.items()
            if (found := self._composite(each, type, simple))
        }
        composite = _with_unions(composite, {name: _yields(definitions[name], type) for name in composite})
        worded = [each for name, each in definitions.items() if have_words(name, type)]
        return simple | composite | {each["code"]: _parameter(each, type, ()) for each in worded}

    def _composite(self, definition: Json, type: str, simple: Mapping[str, Parameter]) -> Parameter | None:
        """A composite with its components; None when one is no parameter of the type, or lies outside the element.

        (The two that look at %resource, both of MolecularSequence, are thus no parameters here.)
        """
        contexts = alternatives(definition.get("expression", ""), type)
        parts = [(self._whole(each, simple), each["expression"]) for each in definition.get("component", ())]
        if definition["type"] != "composite" or not contexts or any(w is None or "%" in e for w, e in parts):
            return None
        is_root = contexts == [type]
        components = tuple(
            whole if is_root else replace(whole, expression=expression, resource=contexts[0], union=())
            for whole, expression in parts
            if whole is not None
        )
        return replace(_parameter(definition, type, contexts), components=components, root=is_root)

    def _whole(self, component: Json, simple: Mapping[str, Parameter]) -> Parameter | None:
        """The parameter of its own that a component is an instance of."""
        return simple.get(self._by_url.get(component["definition"], {}).get("code", ""))


def _simple(definition: Json, type: str) -> Parameter | None:
    """The parameter as it applies to the type; None where it has no expression for it."""
    parts = alternatives(definition.get("expression", ""), type)
    return _parameter(definition, type, parts) if parts and definition["type"] != "composite" else None


def _parameter(definition: Json, type: str, parts: Sequence[str]) -> Parameter:
    return Parameter(
        name=definition["code"],
        type=definition["type"],
        expression=" | ".join(parts),
        url=definition["url"],
        resource=type,
        targets=tuple(definition.get("target", ())),
        implied=tuple(definition.get("implied", {}).get(type, ())),
    )


Yields = frozenset[tuple[str, ...]]


def _yields(definition: Json, type: str) -> Yields:
    """What a parameter yields, as comparable text: its expressions, with those of its components."""
    inner = tuple(each["expression"] for each in definition.get("component", ()))
    return frozenset((part, *inner) for part in alternatives(definition["expression"], type))


def _with_unions(parameters: dict[str, Parameter], yields: Mapping[str, Yields]) -> dict[str, Parameter]:
    """The same with `union` filled in wherever others of its type yield the same together."""
    found = {}
    for name, parameter in parameters.items():
        others = {n: yields[n] for n, other in parameters.items() if other.type == parameter.type}
        found[name] = replace(parameter, union=tuple(parameters[n] for n in _cover(name, others)))
    return found


def _cover(name: str, yields: Mapping[str, Yields]) -> list[str]:
    """The largest others that yield together exactly what `name` yields; none if there are no such."""
    mine = yields[name]
    same = min(other for other, theirs in yields.items() if theirs == mine)
    if same != name:
        return [same]
    firsts = {theirs: other for other, theirs in sorted(yields.items(), reverse=True) if theirs < mine}
    largest = [theirs for theirs in firsts if not any(theirs < other for other in firsts)]
    return sorted(firsts[each] for each in largest) if frozenset().union(*largest) == mine else []


def _checked(definition: Json) -> Json:
    """A service's own SearchParameter, fit to be used."""
    name = definition.get("url") or definition.get("id") or "without a name"
    for needed in ("url", "code", "type", "base", "expression"):
        if not definition.get(needed):
            raise ValueError(f"The SearchParameter {name} has no {needed}.")
    try:
        fhirpath.compile(definition["expression"])
    except fhirpath.PathError as error:
        raise ValueError(
            f"The SearchParameter {name} has an expression that cannot be read: {error}"
        ) from error
    if definition["type"] not in KINDS:
        raise ValueError(
            f"The SearchParameter {name} has the type {definition['type']}, which is none we know."
        )
    if unknown := set(definition["base"]) - RESOURCE_TYPES - {"Resource", "DomainResource"}:
        raise ValueError(
            f"The SearchParameter {name} is based on {', '.join(sorted(unknown))}, which is no resource."
        )
    return definition


@cache
def official() -> Registry:
    """The parameters of R4 alone."""
    return Registry()


@cache
def _official() -> Sequence[Json]:
    data = (files("commonweal.fhir") / "definitions" / "search.json").read_bytes()
    rows: list[Json] = msgspec.json.decode(data)["parameters"]
    return rows

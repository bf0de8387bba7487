"""Reading the clauses of a search, chains and all: https://hl7.org/fhir/R4/search.html#chaining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from commonweal.fhir.elements import is_resource_type
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID
from commonweal.fhir.search import reading
from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Listed
from commonweal.fhir.search.escapes import split
from commonweal.fhir.search.parameters import Parameter, Registry
from commonweal.fhir.search.reading import Expand, Reading

Types = tuple[str, ...]
"""The types a clause is asked of; empty: all."""

MODIFIERS = {
    "string": ("missing", "exact", "contains"),
    "token": ("missing", "text", "not", "in", "not-in", "below", "above", "of-type"),
    "reference": ("missing", "identifier", "text"),
    "uri": ("missing", "below", "above"),
}
"""By kind of parameter; every other kind has only :missing."""
OWN_MODIFIERS = {"_id": ("not",), "_lastUpdated": (), "_text": ("missing",), "_content": ()}
"""What is never missing, has neither text nor type, or is found by whole words alone."""

REFUSED = {
    "_text": "ask for it of one type, or of several named by _type, which all have narratives",
    "_content": "ask for it of one type, or of several named by _type; types with very many resources do not have it",
    "_filter": "filter expressions are not supported; use parameters, chains and _has",
    "_query": "there are no named queries here",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one search may ask."""

    parameters: int = 64
    values: int = 1000
    depth: int = 5
    clauses: int = 256
    characters: int = 65_536


BOUNDS = Bounds()


class Asking:
    """One reading of one search; it counts clauses, so that chains over many types stay bounded."""

    def __init__(self, registry: Registry, expand: Expand | None = None) -> None:
        self.registry = registry
        self.expand = expand
        self.clauses = 0

    def knows(self, types: Types, key: str) -> bool:
        """Whether the parameter a key begins with exists."""
        name = key.partition(".")[0].partition(":")[0]
        return name in ("_has", "_list", *REFUSED) or name in self._parameters(types)

    def unknown(self, types: Types, key: str, value: str) -> Problem:
        name = key.partition(".")[0].partition(":")[0]
        if self.knows(types, key):
            return Problem.of("cw-bad-parameter", name=key, why="it is empty")
        return Problem.of("cw-unknown-parameter", name=name, type=" and ".join(types) or "every type")

    def clause(self, types: Types, key: str, value: str, depth: int = 0) -> Clause:
        """What key=value asks of resources of these types."""
        self.clauses += 1
        if self.clauses > BOUNDS.clauses or depth > BOUNDS.depth:
            raise Problem.too_costly(f"'{key}' reaches further than a search may")
        if key.startswith("_has:"):
            return self._has(types, key, value, depth)
        if key.partition(":")[0] == "_list":
            return _listed(key, value)
        head, dot, rest = key.partition(".")
        name, _, modifier = head.partition(":")
        parameter = self._parameters(types).get(name)
        if parameter is None and name in REFUSED:
            raise Problem.of("cw-bad-parameter", name=key, why=REFUSED[name])
        if parameter is None:
            raise self.unknown(types, key, value)
        if dot:
            return self._chain(parameter, modifier, rest, value, depth)
        return self._criterion(parameter, modifier or None, value, colon=":" in head)

    def _parameters(self, types: Types) -> Mapping[str, Parameter]:
        """Those that all the types have, of one kind and indexed alike."""
        if len(types) < 2:
            return self.registry.of(types[0] if types else None)
        first, *others = (self.registry.of(type) for type in types)
        return {
            name: each
            for name, each in first.items()
            if all(_same(each, other.get(name)) for other in others)
        }

    def _criterion(self, parameter: Parameter, modifier: str | None, value: str, colon: bool) -> Criterion:
        if colon:
            _check_modifier(parameter, modifier or "")
        parts = [part for part in split(value, ",") if part.strip()]
        if len(parts) > BOUNDS.values:
            why = f"it has more than {BOUNDS.values} values"
            raise Problem.of("cw-bad-parameter", name=parameter.name, why=why)
        how = Reading(parameter, modifier, self.registry.bases, self.expand)
        try:
            return Criterion(parameter, modifier, tuple(reading.value(part, how) for part in parts))
        except ValueError as error:
            raise Problem.of("cw-bad-parameter", name=parameter.name, why=str(error)) from error

    def _chain(self, parameter: Parameter, type: str, rest: str, value: str, depth: int) -> Chain:
        if parameter.type != "reference":
            raise Problem.of("cw-bad-parameter", name=parameter.name, why="it is no reference to go on from")
        if type and not is_resource_type(type):
            raise Problem.of("cw-bad-modifier", name=parameter.name, modifier=type)
        targets = (type,) if type else parameter.targets
        if not targets:
            why = f"say which type it goes to, such as {parameter.name}:Patient.{rest}"
            raise Problem.of("cw-bad-parameter", name=parameter.name, why=why)
        able = [target for target in targets if self.knows((target,), rest)]
        if not able:
            raise self.unknown(targets[:1], rest, value)
        branches = tuple((target, self.clause((target,), rest, value, depth + 1)) for target in able)
        return Chain(parameter, branches)

    def _has(self, types: Types, key: str, value: str, depth: int) -> Has:
        parts = key.split(":", 3)
        if len(parts) != 4 or not is_resource_type(parts[1]):
            why = "it must have the form _has:Type:reference:parameter"
            raise Problem.of("cw-bad-parameter", name=key, why=why)
        _, type, name, rest = parts
        parameter = self.registry.of(type).get(name)
        if parameter is None or parameter.type != "reference":
            raise Problem.of("cw-bad-parameter", name=key, why=f"'{name}' is no reference of {type}")
        if types and parameter.targets and not set(types) & set(parameter.targets):
            raise Problem.of(
                "cw-bad-parameter", name=key, why=f"'{name}' never refers to {' or '.join(types)}"
            )
        return Has(type, parameter, self.clause((type,), rest, value, depth + 1))


def _same(mine: Parameter, other: Parameter | None) -> bool:
    return other is not None and (mine.type, mine.names) == (other.type, other.names)


def _listed(key: str, value: str) -> Listed:
    if key != "_list":
        raise Problem.of("cw-bad-modifier", name="_list", modifier=key.partition(":")[2])
    if value.startswith("$"):
        raise Problem.of("cw-bad-parameter", name="_list", why="there are no functional lists here")
    if not ID.fullmatch(value):
        raise Problem.of("cw-bad-parameter", name="_list", why="it must be the id of one List")
    return Listed(value)


def _check_modifier(parameter: Parameter, modifier: str) -> None:
    allowed = OWN_MODIFIERS.get(parameter.name, MODIFIERS.get(parameter.type, ("missing",)))
    is_type = parameter.type == "reference" and is_resource_type(modifier)
    if modifier in allowed or (is_type and modifier in (parameter.targets or (modifier,))):
        return
    raise Problem.of("cw-bad-modifier", name=parameter.name, modifier=modifier)

"""Masked fields: neither searched, sorted by, included by, nor returned; both stores ask the same questions here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir import codec, compartment
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Parameter, Registry, official
from commonweal.fhir.search.query import Chain, Clause, Criterion, Has, Include, Listed, Query
from commonweal.platform.ports import Stored

Json = dict[str, Any]
Paths = Mapping[str, tuple[tuple[str, ...], ...]]
"""By type the elements that are masked: ("name",), ("contact", "name")."""
COMMON = ("_id", "_lastUpdated", "_profile", "_security", "_source", "_tag")
"""Parameters that look at the same elements in every type."""
MASKED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "MASKED"}
ANY_TYPE = ("Resource", "DomainResource")
ASIDE = ("text", "identifier")
"""Modifiers by which a reference is asked for what it repeats of its target: its name, its number."""


def refuse(query: Query, reach: Reach, registry: Registry | None = None) -> None:
    """Problem 403 when the search asks, sorts, follows or includes by what is masked, however deep in a chain."""
    if not reach.masked:
        return
    registry = registry or official()
    criteria = [each for clause in query.where for each in _criteria(clause)]
    asked = [parameter for clause in query.where for parameter in _parameters(clause, registry)]
    asked += [sort.parameter for sort in query.sort]
    if query.type is None and len(query.types) != 1 and any(each.name not in COMMON for each in asked):
        # A parameter stands for one element in each type, and is known here as that of the first alone.
        raise Problem.forbidden(["Some fields are masked: ask for one type at a time."])
    asked += [parameter for include in query.includes for parameter in _followed(include, registry)]
    asked += _inside(query, registry)
    for parameter in asked:
        if is_masked(parameter, reach):
            raise _refused(parameter.name, parameter.resource)
    for criterion in criteria:
        if _looks_aside(criterion, reach):
            raise _refused(f"{criterion.parameter.name}:{criterion.modifier}", criterion.parameter.resource)
    for element in query.elements:
        for type in (query.type,) if query.type else query.types:
            if f"{type}.{element}" in reach.masked:
                raise _refused(element, type)


def _refused(name: str, type: str) -> Problem:
    return Problem.forbidden([f"'{name}' of {type} may not be searched by you."])


def is_masked(parameter: Parameter, reach: Reach) -> bool:
    """Is it named itself, or read from an element that is? Words may come from any element."""
    if parameter.has_words or f"{parameter.resource}.{parameter.name}" in reach.masked:
        return True
    if any(_pattern(path, parameter.resource).search(parameter.expression) for path in reach.masked):
        return True
    return any(is_masked(each, reach) for each in (*parameter.union, *parameter.components))


def hides(type: str, reach: Reach) -> bool:
    """Is some element of this type masked?"""
    return type in _paths(reach.masked)


def shown(stored: Stored, reach: Reach) -> Stored:
    """The version without its masked elements, labelled so. Whatever repeats them goes too: the narrative, the
    name and number at a reference to such a resource, and the resource that another contains."""
    if not reach.masked or stored.deleted or not stored.body:
        return stored
    resource, paths = codec.parse(stored.body), _paths(reach.masked)
    if not _veil(resource, paths):
        return stored
    meta = resource.setdefault("meta", {})
    meta["security"] = [*meta.get("security", []), MASKED]
    return replace(stored, body=codec.encode(resource))


@lru_cache(maxsize=64)
def _paths(masked: frozenset[str]) -> Paths:
    """The masks that are elements; one of a parameter alone ("Patient.phonetic") takes nothing away."""
    by_type: dict[str, list[tuple[str, ...]]] = {}
    for path in sorted(masked):
        type, *names = path.split(".")
        by_type.setdefault(type, []).append(tuple(names))
    return {type: tuple(paths) for type, paths in by_type.items()}


@lru_cache(maxsize=8192)
def _pattern(path: str, of: str) -> re.Pattern[str]:
    """The element in an expression of a type; what every resource has is written there as that of any."""
    type, _, rest = path.partition(".")
    types = (type, *ANY_TYPE) if of in (type, *ANY_TYPE) else (type,)
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, types))})\.{re.escape(rest)}(?!\w)")


def _criteria(clause: Clause) -> Iterator[Criterion]:
    if isinstance(clause, Criterion):
        yield clause
    elif isinstance(clause, Chain):
        for _, where in clause.branches:
            yield from _criteria(where)
    elif isinstance(clause, Has):
        yield from _criteria(clause.where)


def _parameters(clause: Clause, registry: Registry) -> Iterator[Parameter]:
    """Every parameter a clause asks or follows by."""
    if isinstance(clause, Criterion):
        yield clause.parameter
    elif isinstance(clause, Chain):
        yield clause.parameter
        for _, where in clause.branches:
            yield from _parameters(where, registry)
    elif isinstance(clause, Has):
        yield clause.parameter
        yield from _parameters(clause.where, registry)
    elif isinstance(clause, Listed):
        yield registry.of("List")["item"]


def _followed(include: Include, registry: Registry) -> Iterator[Parameter]:
    """The parameters an include goes along; `*` goes along all."""
    if include.parameter is not None:
        yield include.parameter
        return
    types = RESOURCE_TYPES if include.source == "*" else (include.source,)
    for type in types:
        yield from (each for each in registry.of(type).values() if each.type == "reference")


def _inside(query: Query, registry: Registry) -> Iterator[Parameter]:
    """The parameters by which a resource is in the compartment that is asked."""
    if query.compartment is None:
        return
    for type in (query.type,) if query.type else query.types or sorted(RESOURCE_TYPES):
        known = registry.of(type)
        yield from (known[name] for name in _names(query.compartment[0], type) if name in known)


def _names(compartment_type: str, type: str) -> tuple[str, ...]:
    try:
        return compartment.parameters(compartment_type, type)
    except KeyError:
        return ()


def _looks_aside(criterion: Criterion, reach: Reach) -> bool:
    """Does it ask for what a reference repeats of a resource that is masked?"""
    parameter = criterion.parameter
    if parameter.type != "reference" or criterion.modifier not in ASIDE:
        return False
    return not parameter.targets or any(hides(type, reach) for type in parameter.targets)


def _veil(node: Any, paths: Paths) -> bool:
    """Takes away what is masked, at any depth; True when there was anything."""
    if isinstance(node, list):
        return any([_veil(each, paths) for each in node])
    if not isinstance(node, dict):
        return False
    found = False
    if "resourceType" in node:
        own = paths.get(node["resourceType"], ())
        found = any([_remove(node, path) for path in (*own, ("text",))]) or bool(own)
    elif _refers(node, paths):
        found = any([node.pop(name, None) is not None for name in ("display", "_display", "identifier")])
    return any([_veil(each, paths) for each in node.values()]) or found


def _refers(node: Json, paths: Paths) -> bool:
    """Is it a reference to a resource that is masked, or to what may be one?"""
    if "reference" not in node and not ("identifier" in node and "type" in node):
        return False
    target = node.get("reference")
    if not isinstance(target, str):
        return node.get("type") in paths
    named = [part for part in target.split("/") if part in RESOURCE_TYPES]
    return named[-1] in paths if named else True


def _remove(node: Any, path: tuple[str, ...]) -> bool:
    if isinstance(node, list):
        return any([_remove(each, path) for each in node])
    if not isinstance(node, dict) or not path:
        return False
    if len(path) == 1:
        return any([node.pop(name, None) is not None for name in (path[0], "_" + path[0])])
    return _remove(node.get(path[0]), path[1:])

"""Masked fields: neither searched, sorted by, nor returned; both stores ask the same questions here."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from commonweal.access.reach import Reach
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Parameter
from commonweal.fhir.search.query import Chain, Clause, Criterion, Has, Query
from commonweal.platform.ports import Stored

Json = dict[str, Any]
COMMON = ("_id", "_lastUpdated", "_profile", "_security", "_source", "_tag")
"""Parameters that look at the same elements in every type."""
MASKED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "MASKED"}


def refuse(query: Query, reach: Reach) -> None:
    """Problem 403 when the search asks or sorts by what is masked, however deep in a chain."""
    if not reach.masked:
        return
    asked = [parameter for clause in query.where for parameter in _parameters(clause)]
    asked += [sort.parameter for sort in query.sort]
    if query.type is None and len(query.types) > 1 and any(each.name not in COMMON for each in asked):
        # A parameter stands for one element in each type, and is known here as that of the first alone.
        raise Problem.forbidden(["Some fields are masked: ask for one type at a time."])
    for parameter in asked:
        if is_masked(parameter, reach):
            raise Problem.forbidden(
                [f"'{parameter.name}' of {parameter.resource} may not be searched by you."]
            )


def is_masked(parameter: Parameter, reach: Reach) -> bool:
    """Is it named itself, or read from an element that is? Words may come from any element."""
    if parameter.has_words or f"{parameter.resource}.{parameter.name}" in reach.masked:
        return True
    if any(_pattern(path).search(parameter.expression) for path in reach.masked):
        return True
    return any(is_masked(each, reach) for each in (*parameter.union, *parameter.components))


def shown(stored: Stored, reach: Reach) -> Stored:
    """The version without its masked elements, labelled so; the narrative may repeat them and goes too."""
    paths = [path.split(".")[1:] for path in reach.masked if path.startswith(stored.type + ".")]
    if not paths or stored.deleted:
        return stored
    resource = codec.parse(stored.body)
    for path in (*paths, ["text"]):
        _remove(resource, path)
    meta = resource.setdefault("meta", {})
    meta["security"] = [*meta.get("security", []), MASKED]
    return replace(stored, body=codec.encode(resource))


@lru_cache(maxsize=1024)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(path)}(?!\w)")


def _parameters(clause: Clause) -> Iterator[Parameter]:
    """Every parameter a clause asks by."""
    if isinstance(clause, Criterion):
        yield clause.parameter
    elif isinstance(clause, Chain):
        yield clause.parameter
        for _, where in clause.branches:
            yield from _parameters(where)
    elif isinstance(clause, Has):
        yield clause.parameter
        yield from _parameters(clause.where)


def _remove(node: Any, path: list[str]) -> None:
    if isinstance(node, list):
        for each in node:
            _remove(each, path)
    elif isinstance(node, dict) and len(path) == 1:
        node.pop(path[0], None)
        node.pop("_" + path[0], None)
    elif isinstance(node, dict) and path:
        _remove(node.get(path[0]), path[1:])

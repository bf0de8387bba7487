"""Where in the JSON of a type an expression leads: https://hl7.org/fhir/R4/searchparameter.html."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from commonweal.fhir.elements import TYPES, elements, has_elements, is_a
from commonweal.fhir.fhirpath.parser import parse
from commonweal.fhir.fhirpath.tree import Binary, Call, Literal, Node, Path, TypeTest


@dataclass(frozen=True, slots=True)
class Route:
    """JSON names from the context to the nodes, and the FHIR type they have there.

    `where`: (depth, name, value): what the object at that depth must say. `targets`: types a Reference must
    point to (`where(resolve() is Patient)`).
    """

    names: tuple[str, ...]
    type: str
    where: tuple[tuple[int, str, Any], ...] = ()
    targets: tuple[str, ...] = ()


class NotPlain(Exception):
    """The expression is more than paths: the FHIRPath engine has to answer it."""


def alternatives(expression: str, base: str) -> list[str]:
    """The parts of a union that concern one type, without the parentheses around them.

    A part that does not begin with the name of a type is about any.
    """
    found: dict[str, None] = {}
    for part in split(expression):
        root = part.lstrip("(").split(".")[0].split(" ")[0]
        if is_a(base, root) or (part and root not in TYPES):
            found[part] = None
    return list(found)


def split(expression: str) -> list[str]:
    """The parts of a union at its top level."""
    parts, depth, start, quoted = [], 0, 0, False
    for at, char in enumerate(expression):
        quoted ^= char == "'"
        depth += 0 if quoted else (char == "(") - (char == ")")
        if char == "|" and not depth and not quoted:
            parts.append(expression[start:at])
            start = at + 1
    return [_bare(part) for part in (*parts, expression[start:])]


def _bare(part: str) -> str:
    """Without the parentheses that enclose all of it."""
    part = part.strip()
    while part.startswith("(") and _closing(part) == len(part) - 1:
        part = part[1:-1].strip()
    return part


def _closing(part: str) -> int:
    depth = 0
    for at, char in enumerate(part):
        depth += (char == "(") - (char == ")")
        if not depth:
            return at
    return -1


def routes(expression: str, context: str) -> tuple[Route, ...]:
    """All routes of an expression from a type (or backbone path); NotPlain when it is no plain path."""
    return tuple(dict.fromkeys(_routes(parse(expression), context)))


@dataclass(frozen=True, slots=True)
class _At:
    """A place on the way: the route so far and the path whose elements come next."""

    route: Route
    path: str


def _routes(node: Node, context: str) -> Iterator[Route]:
    if isinstance(node, Binary) and node.operator == "|":
        yield from _routes(node.left, context)
        yield from _routes(node.right, context)
    else:
        yield from (place.route for place in _places(node, context))


def _places(node: Node | None, context: str) -> list[_At]:
    match node:
        case None:
            return [_At(Route((), context), context)]
        case Path(None, name) if name == context or is_a(context, name):
            return _places(None, context)
        case Path(source, name):
            return [found for place in _places(source, context) for found in _children(place, name)]
        case TypeTest("as" | "ofType", source, type):
            return [
                place for place in _places(source, context) if is_a(place.route.type, type.split(".")[-1])
            ]
        case Call(source, "where", (criterion,)):
            return [_filtered(place, criterion) for place in _places(source, context)]
    raise NotPlain(str(node))


def _children(place: _At, name: str) -> Iterator[_At]:
    if not has_elements(place.path) or name not in elements(place.path):
        raise NotPlain(f"{place.path} has no element {name}")
    element = elements(place.path)[name]
    for key, type in element.forms():
        route = replace(place.route, names=(*place.route.names, key), type=type)
        yield _At(route, element.path or type)


def _filtered(place: _At, criterion: Node) -> _At:
    match criterion:
        case TypeTest("is", Call(None, "resolve", ()), type):
            return replace(place, route=replace(place.route, targets=(type.split(".")[-1],)))
        case Binary("=", Path(None, name), Literal((str(value),))):
            where = (*place.route.where, (len(place.route.names), name, value))
            return replace(place, route=replace(place.route, where=where))
    raise NotPlain(str(criterion))

"""Where in the JSON of a resource a FHIRPath expression points: https://hl7.org/fhir/R4/fhirpatch.html.

A patch has to know the place, not only the value that FHIRPath gives. Paths, indexes, first(), last(), where(),
ofType() and extension() keep their place; anything else has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from commonweal.fhir.elements import Element, elements, has_elements, is_a
from commonweal.fhir.fhirpath import PathError, parse
from commonweal.fhir.fhirpath.compiler import compiled
from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.tree import Binary, Call, Index, Literal, Node, Path, TypeTest, Variable
from commonweal.fhir.patch.tidy import Unclear, Unfit

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """`holder[key]`, or `holder[key][index]` of an array.

    `type` is the FHIR type or backbone path there, `within` that of the holder. The resource itself has the
    holder {"": resource} and the key "".
    """

    holder: Json
    key: str
    index: int | None
    type: str
    within: str

    @property
    def value(self) -> Any:
        found = self.holder[self.key]
        return found if self.index is None else found[self.index]


def element_of(type: str, name: str) -> tuple[Element, str]:
    """(element, JSON name or "" for a choice without its type) of a child called `name` or `nameType`."""
    own = elements(type) if has_elements(type) else {}
    for element in own.values():
        if element.name == name:
            return element, "" if element.choice else name
        if element.choice and any(key == name for key, _ in element.forms()):
            return element, name
    raise Unfit(f"{type} has no element {name!r}")


class Target:
    """The resource that a patch changes in place; all its expressions share one allowance of work."""

    def __init__(self, resource: Json) -> None:
        self._root = Place({"": resource}, "", None, resource["resourceType"], "")
        self._context = Context(resource, True, {})

    def located(self, expression: str) -> list[Place]:
        """All places an expression points to."""
        try:
            return self.places(parse(expression))
        except PathError as error:
            raise Unclear(str(error)) from error
        except RecursionError:
            raise Unclear("a criterion is too deep") from None

    def one(self, expression: str) -> Place:
        found = self.located(expression)
        if len(found) != 1:
            raise Unfit(f"{expression!r} points to {len(found)} elements, not to one")
        return found[0]

    def places(self, node: Node | None) -> list[Place]:
        match node:
            case None | Variable("$this" | "%resource" | "%context"):
                return [self._root]
            case Path(None, name) if is_a(self._root.type, name):
                return [self._root]
            case Path(source, name):
                return [found for place in self.places(source) for found in _children(place, name)]
            case Index(source, Literal((int(index),))):
                return self.places(source)[index : index + 1] if index >= 0 else []
            case TypeTest("as" | "ofType", source, type):
                return [each for each in self.places(source) if is_a(each.type, type.split(".")[-1])]
            case Call(source, name, arguments) if name in CALLS:
                return CALLS[name](self, self.places(source), arguments)
        raise Unclear(
            "a patch can follow names, [n], first(), last(), where(), ofType() and extension() only"
        )

    def where(self, places: list[Place], arguments: tuple[Node, ...]) -> list[Place]:
        if len(arguments) != 1:
            raise Unclear("where() takes one criterion")
        holds = compiled(arguments[0])
        kept = []
        for number, place in enumerate(places):
            self._context.index = number
            answer = holds(self._context, self._context.items(place.value, place.type))
            kept += [place] if len(answer) == 1 and getattr(answer[0], "value", answer[0]) is True else []
        return kept

    def extension(self, places: list[Place], arguments: tuple[Node, ...]) -> list[Place]:
        inside = [found for place in places for found in _children(place, "extension")]
        return self.where(inside, tuple(Binary("=", Path(None, "url"), url) for url in arguments))

    def first(self, places: list[Place], arguments: tuple[Node, ...]) -> list[Place]:
        return places[:1]

    def last(self, places: list[Place], arguments: tuple[Node, ...]) -> list[Place]:
        return places[-1:]


CALLS: dict[str, Callable[[Target, list[Place], tuple[Node, ...]], list[Place]]] = {
    "where": Target.where,
    "extension": Target.extension,
    "first": Target.first,
    "last": Target.last,
}


def _children(place: Place, name: str) -> Iterator[Place]:
    """The children called `name`; whatever form a choice has."""
    holder = place.value
    if not isinstance(holder, dict):
        return
    type = str(holder.get("resourceType", place.type))
    element, _ = element_of(type, name)
    for key, kind in element.forms():
        inner = element.path or kind
        if isinstance(holder.get(key), list):
            items = enumerate(holder[key])
            yield from (Place(holder, key, n, inner, type) for n, each in items if each is not None)
        elif key in holder:
            yield Place(holder, key, None, inner, type)

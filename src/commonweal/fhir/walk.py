"""What is wrong with the structure of a resource, each fault with its place: https://hl7.org/fhir/R4/json.html.

This walk is the definition of a well-formed resource. `structure` spares most resources the walk.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from commonweal.fhir.elements import RESOURCE_TYPES, Element, elements, is_primitive
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import Issue, Json, issue
from commonweal.fhir.primitives import PRIMITIVES, form_of, has_form
from commonweal.fhir.terminology import codes_of

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_SHOWN = 40


class Form(NamedTuple):
    """What a JSON property stands for: an element in one of its types, or its extension half."""

    element: Element
    type: str
    extends: bool

    @property
    def step(self) -> str:
        """The step of a FHIRPath that leads here."""
        return f"{self.element.name}.ofType({self.type})" if self.element.choice else self.element.name


class Shape(NamedTuple):
    """The properties of a type by name, and the elements that presence rules speak of."""

    forms: dict[str, Form]
    limited: tuple[Element, ...]


@cache
def shape(type_path: str) -> Shape:
    found = elements(type_path).values()
    forms: dict[str, Form] = {}
    for element in found:
        for name, type in element.forms():
            forms[name] = Form(element, type, False)
            if is_primitive(type) and not element.attribute and type != "xhtml":
                forms[f"_{name}"] = Form(element, type, True)
    return Shape(forms, tuple(each for each in found if each.required or each.choice))


class Enough(Exception):
    """There are as many issues as anybody would read."""


class Walk:
    """One walk over one resource; resources inside are left to the caller."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def tell(self, key: str, path: str, /, **words: object) -> None:
        self.issues.append(issue(key, path, **words))
        if len(self.issues) >= LIMITS.issues:
            raise Enough

    def object(self, value: Json, type_path: str, path: str) -> None:
        if not value:
            self.tell("cw-empty", path, what="An object")
        forms = shape(type_path).forms
        for name, item in value.items():
            form = forms.get(name)
            if form:
                self.property(form, item, value, f"{path}.{form.step}")
            elif name != "resourceType" or type_path not in RESOURCE_TYPES:
                self.tell(
                    "cw-unknown-element", f"{path}.{name}" if _NAME.match(name) else path, name=name[:_SHOWN]
                )
        self.presence(value, type_path, path)

    def presence(self, value: Json, type_path: str, path: str) -> None:
        for element in shape(type_path).limited:
            given = [name for name, _ in element.forms() if name in value or f"_{name}" in value]
            if len(given) > 1:
                self.tell(
                    "cw-too-many-choices", f"{path}.{element.name}", name=element.name, got=", ".join(given)
                )
            if element.required and not given:
                name = element.name + "[x]" * element.choice
                self.tell("cw-missing-element", f"{path}.{element.name}", name=name)

    def property(self, form: Form, item: Any, owner: Json, path: str) -> None:
        if not form.element.many:
            self.value(form, item, path)
        elif type(item) is not list:
            self.tell("cw-wrong-type", path, wanted="an array", got=form_of(item))
        elif not item:
            self.tell("cw-empty", path, what="An array")
        else:
            self.items(form, item, _half(form, owner), path)

    def items(self, form: Form, items: list[Any], other: list[Any], path: str) -> None:
        """null may fill a place whose other half has a value there; a shorter half counts as filled up."""
        for index, item in enumerate(items):
            filled = index < len(other) and other[index] is not None
            if item is not None or not filled:
                self.value(form, item, f"{path}[{index}]")

    def value(self, form: Form, item: Any, path: str) -> None:
        if form.type == "Resource":
            return
        if item is None:
            self.tell("cw-null", path)
        elif is_primitive(form.type) and not form.extends:
            self.primitive(form, item, path)
        elif type(item) is not dict:
            self.tell("cw-wrong-type", path, wanted="an object", got=form_of(item))
        elif form.extends:
            self.object(item, "Element", path)
        else:
            self.object(item, form.element.path or form.type, path)

    def primitive(self, form: Form, item: Any, path: str) -> None:
        kind = PRIMITIVES[form.type]
        if not has_form(form.type, item):
            self.tell("cw-wrong-type", path, wanted=kind.form, got=form_of(item))
            return
        fault = kind.fault(item)
        codes = codes_of(form.element.binding) if form.type == "code" and _is_bound(form.element) else None
        if fault:
            self.tell("cw-bad-value", path, got=_short(item), type=form.type, why=fault)
        elif codes is not None and item not in codes:
            self.tell("cw-unknown-code", path, got=_short(item), binding=form.element.binding)


def _half(form: Form, owner: Json) -> list[Any]:
    """The other half of a repeating primitive; nothing for all else."""
    if not is_primitive(form.type):
        return []
    other = owner.get(form.element.name if form.extends else f"_{form.element.name}")
    return other if type(other) is list else []


def _is_bound(element: Element) -> bool:
    return element.strength == "required"


def _short(value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value)[: _SHOWN + 1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def walk(resource: Json, path: str) -> list[Issue]:
    """Every fault of one resource but not of those inside it, up to LIMITS.issues."""
    steps = Walk()
    with suppress(Enough):
        steps.object(resource, resource["resourceType"], path)
    return steps.issues

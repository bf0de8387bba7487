"""Whether a resource keeps every rule of FHIR R4 itself: https://hl7.org/fhir/R4/validation.html.

Structure, required bindings and invariants; profiles and extensible bindings are a matter of `fitting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from commonweal.fhir.canonical import Lookup
from commonweal.fhir.elements import Element, is_primitive
from commonweal.fhir.fhirpath import PathError, compile
from commonweal.fhir.invariants import Invariant, invariants
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import Issue, Json, issue
from commonweal.fhir.profiles import fits
from commonweal.fhir.structure import inside, issues_of
from commonweal.fhir.terminology import systems_of
from commonweal.fhir.walk import Enough, Form, shape


def validate(resource: Json) -> list[Issue]:
    """Every issue found, up to LIMITS.issues; invariants are asked only of what is well formed."""
    issues = issues_of(resource)
    if not issues:
        with suppress(Enough):
            _judge(resource, resource["resourceType"], resource, issues)
    return issues


def fitting(resource: Json, profiles: Sequence[str], lookup: Lookup) -> list[Issue]:
    """The same, and what is found by each profile once the structure is as it should be."""
    issues = validate(resource)
    if issues_of(resource):
        return issues
    for canonical in profiles:
        issues += [each for each in fits(resource, canonical, lookup) if each not in issues]
    return issues


def _judge(resource: Json, path: str, root: Json, issues: list[Issue]) -> None:
    """One resource, then those inside it; the contained ones know it as %rootResource."""
    judge = _Judge(resource, root, issues)
    judge.value(resource, resource["resourceType"], path)
    for inner, place in inside(resource, path):
        contained = place.startswith(f"{path}.contained[")
        _judge(inner, place, root if contained else inner, issues)


class _Judge:
    def __init__(self, resource: Json, root: Json, issues: list[Issue]) -> None:
        self.variables = {"resource": resource, "rootResource": root}
        self.issues = issues

    def value(self, value: Any, type_path: str, path: str) -> None:
        """A value of a complex type or resource: its own invariants, then all below."""
        rules = invariants(type_path)
        for rule in rules:
            if not rule.element:
                self.ask(rule, value, type_path, path)
        forms = shape(type_path).forms
        for name, item in value.items():
            form = forms.get(name)
            if form and form.type != "Resource":
                asked = [rule for rule in rules if rule.element == form.element.name]
                for part, place in _parts(form, item, path):
                    self.part(form, part, place, asked)

    def part(self, form: Form, part: Any, path: str, asked: list[Invariant]) -> None:
        type_path = "Element" if form.extends else form.element.path or form.type
        for rule in asked:
            self.ask(rule, part, type_path, path)
        if type(part) is dict:
            self.binding(form.element, form.type, part, path)
            self.value(part, type_path, path)

    def ask(self, rule: Invariant, value: Any, type_path: str, path: str) -> None:
        try:
            said = compile(rule.expression).evaluate(value, type=type_path, variables=self.variables)
        except PathError as error:
            self.tell(issue("cw-invariant-not-checked", path, key=rule.key, why=error))
            return
        if said == [False]:  # empty means that what the rule speaks of is not there
            found = issue("cw-invariant", path, key=rule.key, human=rule.human)
            self.tell(Issue(rule.severity, found.code, found.diagnostics, path, found.details))

    def binding(self, element: Element, type: str, value: Json, path: str) -> None:
        """Required bindings of what carries a system; those of plain codes are a matter of structure."""
        systems = systems_of(element.binding) if element.strength == "required" else None
        if systems is None or is_primitive(type):
            return
        codings = value.get("coding", []) if type == "CodeableConcept" else [value]
        if not any(each.get("code") in systems.get(each.get("system", ""), ()) for each in codings):
            shown = ", ".join(str(each.get("code")) for each in codings) or "text alone"
            self.tell(issue("cw-unknown-code", path, got=shown, binding=element.binding))

    def tell(self, found: Issue) -> None:
        """Warnings are told up to the limit too, but do not keep errors from being found."""
        alike = sum(each.severity == found.severity for each in self.issues)
        if alike < LIMITS.issues:
            self.issues.append(found)
        elif found.severity == "error":
            raise Enough


def _parts(form: Form, item: Any, path: str) -> Iterator[tuple[Any, str]]:
    place = f"{path}.{form.step}"
    if not form.element.many:
        yield item, place
        return
    for index, each in enumerate(item):
        if each is not None:
            yield each, f"{place}[{index}]"

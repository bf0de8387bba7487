"""One resource against one profile, with the place of everything that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from commonweal.fhir import reference, terminology
from commonweal.fhir.canonical import Lookup, split
from commonweal.fhir.elements import is_a, is_primitive
from commonweal.fhir.fhirpath import PathError, compile
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import Issue, Problem, issue
from commonweal.fhir.profiles.places import Place, Surroundings, children, root
from commonweal.fhir.profiles.slicing import Slicing
from commonweal.fhir.profiles.tree import Node, Trees, core_type, own_rules
from commonweal.fhir.profiles.values import is_stated
from commonweal.fhir.walk import Enough

Json = dict[str, Any]


def fits(resource: Json, canonical: str, lookup: Lookup, trees: Trees | None = None) -> list[Issue]:
    """What keeps a well-formed resource from fitting a profile, and what could not be checked.

    `trees` spares making the trees of profiles again.
    """
    judge = Judge(resource, lookup, trees or Trees())
    with suppress(Enough):
        judge.profile(canonical, root(resource, resource["resourceType"]))
    return judge.issues


class Judge:
    """Judges the places of one resource; `apart` asks the same of a part without telling."""

    def __init__(self, resource: Json, lookup: Lookup, trees: Trees, outer: Judge | None = None) -> None:
        self.resource = resource
        self.lookup = lookup
        self.trees = trees
        self.surroundings: Surroundings = outer.surroundings if outer else Surroundings(resource)
        self.issues: list[Issue] = []
        self._verdicts: dict[tuple[str, int], bool | None] = outer._verdicts if outer else {}
        self._allowance: terminology.Allowance = outer._allowance if outer else terminology.Allowance()
        self._profile = ""
        self._slicing = Slicing(self)

    def apart(self, canonical: str, place: Place) -> bool | None:
        """Does the part fit? None: the profile is not known here. While it is being judged it counts as fitting,
        so that resources which refer to each other come to an end."""
        key = (canonical, id(place.value))
        if key not in self._verdicts:
            self._verdicts[key] = True
            inner = Judge(self.resource, self.lookup, self.trees, self)
            known = True
            with suppress(Enough):
                known = inner.profile(canonical, place)
            is_good = not any(each.severity == "error" for each in inner.issues)
            self._verdicts[key] = is_good if known else None
        return self._verdicts[key]

    def profile(self, canonical: str, place: Place) -> bool:
        """Tell what does not fit; False when the profile is not known here."""
        if (core := core_type(canonical)) is not None:
            self._is_type(core, place)
            return True
        tree = self.trees.of(canonical, self.lookup)
        if tree is None:
            self.note("cw-profile-not-checked", place, profile=canonical)
            return False
        outer, self._profile = (self._profile, self.resource), split(canonical)[0]
        if "resourceType" in (place.value if isinstance(place.value, dict) else ()):
            self.resource = place.value
        if self._is_type(tree.name, place):
            self.value(tree, place)
        self._profile, self.resource = outer
        return True

    def _is_type(self, type: str, place: Place) -> bool:
        is_one = is_a(place.kind, type)
        if not is_one:
            self.tell(place.path, f"it is a {place.kind}, not a {type}")
        return is_one

    def value(self, node: Node, place: Place) -> None:
        """A value against an element definition and all below it."""
        element = node.element
        stated = node.stated()
        if stated is not None and not is_stated(stated, place.value):
            self.tell(
                place.path, f"it must {'be' if stated[0] == 'fixed' else 'contain'} {_short(stated[1])}"
            )
        if len(str(place.value)) > element.get("maxLength", LIMITS.resource_bytes):
            self.tell(place.path, f"it must not be longer than {element['maxLength']}")
        self._binding(element.get("binding", {}), place)
        for rule in own_rules(element):
            self._rule(rule, place)
        for name, child in node.children.items():
            found = children(place, name)
            self.elements(child, found, f"{place.path}.{name.removesuffix('[x]')}")

    def elements(self, node: Node, found: Sequence[Place], path: str) -> None:
        """All values of one element of one parent."""
        self.count(node, len(found), path, node.name)
        for place in found:
            self._types(node, place)
            self.value(node, place)
        if node.slices:
            self._slicing.judge(node, found, path)

    def count(self, node: Node, number: int, path: str, name: str) -> None:
        least, most = node.element.get("min", 0), node.element.get("max", "*")
        if number < least:
            self.tell(path, f"there must be at least {least} {name}, not {number}")
        if most.isdecimal() and number > int(most):
            self.tell(path, f"there must be at most {most} {name}, not {number}")

    def _types(self, node: Node, place: Place) -> None:
        """The type of a choice or resource, its profiles, and what a reference may point to."""
        types = [each for each in node.types if not each["code"].startswith("http:")]
        if not types or "." in place.type:
            return
        mine = [each for each in types if is_a(place.kind, each["code"])]
        if not mine:
            allowed = " or ".join(each["code"] for each in types)
            self.tell(place.path, f"it is a {place.kind}, not a {allowed}")
            return
        self._profiles([url for each in mine for url in each.get("profile", ())], place)
        self._targets([url for each in mine for url in each.get("targetProfile", ())], place)

    def _profiles(self, profiles: list[str], place: Place) -> None:
        """It must fit one of them."""
        if len(profiles) == 1:
            self.profile(profiles[0], place)
        elif profiles:
            said = {self.apart(each, place) for each in profiles}
            if True not in said and None not in said:
                self.tell(place.path, f"it fits none of {', '.join(profiles)}")

    def _targets(self, profiles: list[str], place: Place) -> None:
        allowed = [self.target_type(each) for each in profiles]
        pointed = self.pointed_type(place)
        if (
            pointed
            and allowed
            and None not in allowed
            and not any(is_a(pointed, each or "") for each in allowed)
        ):
            self.tell(place.path, f"it refers to a {pointed}, not to a {' or '.join(filter(None, allowed))}")

    def target_type(self, canonical: str) -> str | None:
        """The type that a profile constrains; None when it is not known here."""
        if (core := core_type(canonical)) is not None:
            return core
        tree = self.trees.of(canonical, self.lookup)
        return tree.name if tree is not None else None

    def pointed_type(self, place: Place) -> str | None:
        """The type that a reference points to, as far as it can be told."""
        there = self.surroundings.resolve(place)
        if there is not None:
            return there.type
        text = place.value.get("reference", "#") if isinstance(place.value, dict) else "#"
        return (
            reference.parse(text).type or (isinstance(place.value, dict) and place.value.get("type")) or None
        )

    def _rule(self, rule: Json, place: Place) -> None:
        variables = {"resource": self.resource, "rootResource": self.resource}
        asked = place.value if place.value is not None else place.half
        try:
            said = compile(rule["expression"]).evaluate(asked, type=place.type, variables=variables)
        except PathError as error:
            self.note("cw-invariant-not-checked", place, key=rule["key"], why=error)
            return
        if said == [False]:
            found = issue("cw-invariant", place.path, key=rule["key"], human=rule["human"])
            self._add(Issue(rule["severity"], found.code, found.diagnostics, place.path, found.details))

    def _binding(self, binding: Json, place: Place) -> None:
        """Required: one coding is in the value set. Extensible: so it ought to be, where there is any."""
        strength, canonical = binding.get("strength"), binding.get("valueSet", "")
        codings = _codings(place)
        if strength not in ("required", "extensible") or codings is None or not canonical:
            return
        if not codings and strength == "extensible":
            return
        value_set = self.lookup("ValueSet", canonical)
        said = [None if value_set is None else self.is_in(value_set, *each) for each in codings]
        if True in said:
            return
        if None in said:
            self.note("cw-binding-not-checked", place, binding=canonical)
            return
        shown = ", ".join(code for _, code in codings) or "text alone"
        found = issue("cw-unknown-code", place.path, got=shown, binding=split(canonical)[0])
        severity = "error" if strength == "required" else "warning"
        self._add(Issue(severity, found.code, found.diagnostics, place.path, found.details))

    def is_in(self, value_set: Json, system: str | None, code: str) -> bool | None:
        """Is the code in the value set? None: it cannot be told, or not at a bearable cost."""
        try:
            return terminology.contains(value_set, system, code, self.lookup, self._allowance)
        except Problem:
            return None

    def tell(self, path: str, why: str) -> None:
        self._add(issue("cw-profile", path, profile=self._profile, why=why))

    def note(self, key: str, place: Place, /, **words: object) -> None:
        """Something that could not be checked, said once."""
        found = issue(key, place.path, **words)
        if not any(each.diagnostics == found.diagnostics for each in self.issues):
            self._add(found)

    def _add(self, found: Issue) -> None:
        self.issues.append(found)
        if len(self.issues) >= LIMITS.issues:
            raise Enough


def _codings(place: Place) -> list[tuple[str | None, str]] | None:
    """(system, code) of what carries codes; None for what does not."""
    if is_primitive(place.type):
        return [(None, place.value)] if isinstance(place.value, str) else None
    if place.type in ("Coding", "Quantity"):
        return [(place.value.get("system", ""), place.value["code"])] if "code" in place.value else []
    if place.type == "CodeableConcept":
        codings = place.value.get("coding", ())
        return [(each.get("system", ""), each["code"]) for each in codings if "code" in each]
    return None


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"

"""Which slice each value belongs to: https://hl7.org/fhir/R4/profiling.html#slicing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from commonweal.fhir.canonical import Lookup, split
from commonweal.fhir.elements import is_a
from commonweal.fhir.profiles.places import Place, Surroundings, follow
from commonweal.fhir.profiles.tree import Node
from commonweal.fhir.profiles.values import is_stated, stated_at

Json = dict[str, Any]


class Judge(Protocol):
    """Who judges the values once they are sorted, and knows what surrounds them."""

    lookup: Lookup
    surroundings: Surroundings

    def value(self, node: Node, place: Place) -> None: ...
    def count(self, node: Node, number: int, path: str, name: str) -> None: ...
    def tell(self, path: str, why: str) -> None: ...
    def note(self, key: str, place: Place, /, **words: object) -> None: ...
    def is_in(self, value_set: Json, system: str | None, code: str) -> bool | None: ...
    def apart(self, canonical: str, place: Place) -> bool | None: ...
    def target_type(self, canonical: str) -> str | None: ...
    def pointed_type(self, place: Place) -> str | None: ...


class Slicing:
    """Sorts the values of one element into its slices; None wherever it cannot be told."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._ways = {
            "value": self._by_value,
            "pattern": self._by_value,
            "exists": self._by_existence,
            "type": self._by_type,
            "profile": self._by_profile,
        }

    def judge(self, node: Node, found: Sequence[Place], path: str) -> None:
        slicing, left = node.slicing, list(found)
        for name, slice in node.slices.items():
            said = [(place, self._is_in(slice, slicing, place)) for place in found]
            mine = [place for place, is_in in said if is_in]
            unsure = [place for place, is_in in said if is_in is None]
            if unsure and len(mine) < slice.element.get("min", 0):
                self._judge.note("cw-slice-not-checked", unsure[0], slice=f"{node.name}:{name}")
            else:
                self._judge.count(slice, len(mine), path, f"{node.name}:{name}")
            for place in mine:
                self._judge.value(slice, place)
            if mine and slice.slices:
                self.judge(slice, mine, path)
            left = [place for place in left if place not in mine and place not in unsure]
        if slicing.get("rules") == "closed":
            for place in left:
                self._judge.tell(
                    place.path, f"it is none of {', '.join(node.slices)}, and nothing else may be"
                )

    def _is_in(self, slice: Node, slicing: Json, place: Place) -> bool | None:
        said = [self._tell_apart(slice, each, place) for each in slicing.get("discriminator", ())]
        return False if False in said else None if None in said or not said else True

    def _tell_apart(self, slice: Node, discriminator: Json, place: Place) -> bool | None:
        path: str = discriminator["path"]
        if path.endswith("resolve()") and discriminator["type"] in ("type", "profile"):
            return self._by_target(slice, place, path, discriminator["type"])
        found = follow(place, path, self._judge.surroundings)
        return None if found is None else self._ways[discriminator["type"]](slice, path, found)

    def _by_value(self, slice: Node, path: str, found: list[Place]) -> bool | None:
        steps = [] if path == "$this" else path.split(".")
        wanted = [*stated_at(slice, steps), *_url(slice, path)]
        if wanted:
            return any(all(is_stated(each, place.value) for each in wanted) for place in found)
        node = _below(slice, steps)
        return self._by_binding(node, found) if node is not None else None

    def _by_binding(self, node: Node, found: list[Place]) -> bool | None:
        binding = node.element.get("binding", {})
        value_set = None
        if binding.get("strength") == "required":
            value_set = self._judge.lookup("ValueSet", binding.get("valueSet", ""))
        if value_set is None:
            return None
        codings = [each for place in found for each in _codes(place)]
        said = {self._judge.is_in(value_set, *each) for each in codings}
        return True if True in said else None if None in said else False

    def _by_existence(self, slice: Node, path: str, found: list[Place]) -> bool | None:
        node = _below(slice, path.split("."))
        if node is None:
            return None
        return not found if node.element.get("max") == "0" else bool(found)

    def _by_type(self, slice: Node, path: str, found: list[Place]) -> bool | None:
        node = _below(slice, [] if path == "$this" else path.split("."))
        types = [each["code"] for each in node.types] if node is not None else []
        return any(is_a(place.kind, type) for place in found for type in types) if types else None

    def _by_profile(self, slice: Node, path: str, found: list[Place]) -> bool | None:
        node = _below(slice, [] if path == "$this" else path.split("."))
        if node is None or not node.types:
            return None
        profiles = [url for each in node.types for url in each.get("profile", ())]
        if not profiles:
            return self._by_type(slice, path, found)
        return self._fits_any(profiles, found)

    def _by_target(self, slice: Node, place: Place, path: str, way: str) -> bool | None:
        """References are told apart by what they point to, where that is here; types also by what is written."""
        steps = path.split(".")[:-1]
        node = _below(slice, [step for step in steps if step != "$this"])
        profiles = [url for each in node.types for url in each.get("targetProfile", ())] if node else []
        references = follow(place, ".".join(steps) or "$this", self._judge.surroundings) or []
        if not profiles or not references:
            return None
        if way == "profile":
            there = [self._judge.surroundings.resolve(each) for each in references]
            return self._fits_any(profiles, [each for each in there if each]) if all(there) else None
        types = [self._judge.target_type(each) for each in profiles]
        pointed = [self._judge.pointed_type(each) for each in references]
        if None in types or None in pointed:
            return None
        return any(is_a(each or "", type or "") for each in pointed for type in types)

    def _fits_any(self, profiles: Iterable[str], found: Iterable[Place]) -> bool | None:
        said = {self._claims(url, place) for url in profiles for place in found}
        return True if True in said else None if None in said else False

    def _claims(self, canonical: str, place: Place) -> bool | None:
        """Whoever says that it has the profile is judged by it; others belong to it if they happen to fit."""
        type = self._judge.target_type(canonical)
        if type is not None and not is_a(place.kind, type):
            return False
        claimed = place.value.get("meta", {}).get("profile", ()) if isinstance(place.value, dict) else ()
        is_claimed = any(split(each)[0] == split(canonical)[0] for each in claimed)
        return is_claimed or self._judge.apart(canonical, place)


def _url(slice: Node, path: str) -> list[tuple[str, Any]]:
    """An extension is told by the address of its own profile."""
    profiles = [url for each in slice.types for url in each.get("profile", ()) if each["code"] == "Extension"]
    return [("fixed", split(profiles[0])[0])] if path == "url" and profiles else []


def _below(node: Node | None, steps: Sequence[str]) -> Node | None:
    for step in steps:
        node = node.child(step) if node is not None else None
    return node


def _codes(place: Place) -> list[tuple[str | None, str]]:
    value = place.value
    if isinstance(value, str):
        return [(None, value)]
    codings = value.get("coding", [value]) if isinstance(value, dict) else ()
    return [(each.get("system", ""), each["code"]) for each in codings if "code" in each]

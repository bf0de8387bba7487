"""The definitions that judging by a profile may take, so that they can be read beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from commonweal.fhir.canonical import Lookup, Unread
from commonweal.fhir.profiles.tree import Node, Trees, core_type

Json = dict[str, Any]


def needed(canonicals: Iterable[str], lookup: Lookup, trees: Trees) -> list[Unread]:
    """Those that are still unread; to be asked again once they are read, until there are none."""
    return _Needs(lookup, trees).of(canonicals)


class _Needs:
    def __init__(self, lookup: Lookup, trees: Trees) -> None:
        self._lookup = lookup
        self._trees = trees
        self._missing: dict[tuple[str, str], Unread] = {}
        self._sets: set[str] = set()

    def of(self, canonicals: Iterable[str]) -> list[Unread]:
        pending, seen = [*canonicals], set[str]()
        while pending:
            canonical = pending.pop()
            if canonical in seen or core_type(canonical) is not None:
                continue
            seen.add(canonical)
            tree = self._tree(canonical)
            for node in _nodes(tree) if tree is not None else ():
                pending += (url for each in node.types for url in each.get("profile", ()))
                self._node(node)
        return [*self._missing.values()]

    def _node(self, node: Node) -> None:
        for target in (url for each in node.types for url in each.get("targetProfile", ())):
            if core_type(target) is None:
                self._tree(target)
        binding = node.element.get("binding", {})
        if binding.get("strength") in ("required", "extensible") and "valueSet" in binding:
            self._value_set(binding["valueSet"])

    def _value_set(self, canonical: str) -> None:
        """The value set, those within it, and the systems that it takes as a whole or by a filter."""
        if canonical in self._sets:
            return
        self._sets.add(canonical)
        found = self._read("ValueSet", canonical)
        compose = found.get("compose", {}) if found is not None else {}
        for each in (*compose.get("include", ()), *compose.get("exclude", ())):
            if "system" in each and "concept" not in each:
                self._read(
                    "CodeSystem", each["system"] + (f"|{each['version']}" if "version" in each else "")
                )
            for inner in each.get("valueSet", ()):
                self._value_set(inner)

    def _tree(self, canonical: str) -> Node | None:
        try:
            return self._trees.of(canonical, self._lookup)
        except Unread as missing:
            self._missing[missing.type, missing.canonical] = missing
            return None

    def _read(self, type: str, canonical: str) -> Json | None:
        try:
            return self._lookup(type, canonical)
        except Unread as missing:
            self._missing[missing.type, missing.canonical] = missing
            return None


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for each in (*node.children.values(), *node.slices.values()):
        yield from _nodes(each)

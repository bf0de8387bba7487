"""The codes of a value set: https://hl7.org/fhir/R4/valueset.html#expansion.

Concept lists, whole systems, filters, value sets within value sets, and what is excluded. Abstract concepts are
left out, as nothing may be coded with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from commonweal.fhir.canonical import Lookup
from commonweal.fhir.outcome import Problem
from commonweal.fhir.terminology.codes import Codes, codes
from commonweal.fhir.terminology.filters import picked

Json = dict[str, Any]
Coded = dict[tuple[str, str], str]
"""(system, code) → display ("" where none is stated), in the order of the value set."""
MOST = 10_000
"""Codes of one expansion."""
MOST_WORK = 2_000_000
"""Concepts that one question may look at, each as often as it is looked at."""
A_SET = 100
"""What one value set within another counts as, besides its concepts."""
DEEPEST = 30
"""Value sets within each other."""


class NotExpandable(ValueError):
    """The codes cannot be listed; says why."""


def expand(value_set: Json, lookup: Lookup) -> Coded:
    """Every code of the value set.

    NotExpandable when a system or value set that it takes is not here; Problem too-costly beyond MOST codes.
    """
    return _Expansion(lookup, Allowance()).of(value_set, ())


def contains(
    value_set: Json, system: str | None, code: str, lookup: Lookup, allowance: Allowance | None = None
) -> bool | None:
    """Is the code in the value set? None: it cannot be told from what is here. `system` None: of whichever.

    Who asks for many codes at once gives all of them one allowance.
    """
    return _Membership(lookup, allowance or Allowance(), system, code).of(value_set, ())


class Allowance:
    """The work that is left to one question: a few small value sets that take each other multiply."""

    def __init__(self) -> None:
        self._left = MOST_WORK

    def spend(self, work: int) -> None:
        """Problem too-costly once it is used up."""
        self._left -= work
        if self._left < 0:
            raise Problem.too_costly("the value set takes too many others, codes or filters")


class _Expansion:
    def __init__(self, lookup: Lookup, allowance: Allowance) -> None:
        self._lookup = lookup
        self._allowance = allowance

    def of(self, value_set: Json, within: tuple[str, ...]) -> Coded:
        compose = value_set.get("compose")
        if compose is None:
            return _limited(_listed(value_set))
        inside = _inside(value_set, within, self._allowance)
        found: Coded = {}
        for each in compose.get("include", ()):
            for key, display in self._set(each, inside).items():
                found.setdefault(key, display)
            _limited(found)
        for each in compose.get("exclude", ()):
            for key in self._set(each, inside):
                found.pop(key, None)
        return found

    def _set(self, each: Json, within: tuple[str, ...]) -> Coded:
        """What is in its system and in all its value sets."""
        sets = [self.of(_value_set(url, self._lookup), within) for url in each.get("valueSet", ())]
        if "system" in each:
            sets.insert(0, self._codes(each))
        self._allowance.spend(sum(map(len, sets)))
        first, others = (sets[0], sets[1:]) if sets else ({}, [])
        return {key: display for key, display in first.items() if all(key in other for other in others)}

    def _codes(self, each: Json) -> Coded:
        system: str = each["system"]
        if "concept" in each:
            return {(system, concept["code"]): concept.get("display", "") for concept in each["concept"]}
        known = _known(each, self._lookup)
        if known is None:
            raise NotExpandable(f"the code system {system} is not here")
        selected = _selected(known, each, self._allowance)
        return {(system, code): known.concepts[code].display for code in selected}


class _Membership:
    """The same questions asked for one code; parts that cannot contain it need not be known."""

    def __init__(self, lookup: Lookup, allowance: Allowance, system: str | None, code: str) -> None:
        self._lookup = lookup
        self._allowance = allowance
        self._system = system
        self._code = code

    def of(self, value_set: Json, within: tuple[str, ...]) -> bool | None:
        compose = value_set.get("compose")
        if compose is None:
            return any(self._is_meant(*key) for key in _listed(value_set))
        inside = _inside(value_set, within, self._allowance)
        found = _either(self._set(each, inside) for each in compose.get("include", ()))
        gone = _either(self._set(each, inside) for each in compose.get("exclude", ())) if found else False
        return found if gone is False else None if gone is None else False

    def _set(self, each: Json, within: tuple[str, ...]) -> bool | None:
        said = [self._has(each)] if "system" in each else []
        return _both([*said, *(self._nested(url, within) for url in each.get("valueSet", ()))])

    def _nested(self, url: str, within: tuple[str, ...]) -> bool | None:
        try:
            return self.of(_value_set(url, self._lookup), within)
        except NotExpandable:
            return None

    def _has(self, each: Json) -> bool | None:
        if self._system not in (None, each["system"]):
            return False
        if "concept" in each:
            self._allowance.spend(len(each["concept"]))
            return any(concept["code"] == self._code for concept in each["concept"])
        known = _known(each, self._lookup)
        return None if known is None else self._code in _selected(known, each, self._allowance)

    def _is_meant(self, system: str, code: str) -> bool:
        return self._system in (None, system) and code == self._code


def _inside(value_set: Json, within: tuple[str, ...], allowance: Allowance) -> tuple[str, ...]:
    if len(within) > DEEPEST:
        raise Problem.too_costly(f"value sets lie more than {DEEPEST} deep within each other")
    allowance.spend(A_SET)
    url = value_set.get("url", "")
    if url in within:
        raise NotExpandable(f"the value set {url} includes itself")
    return (*within, url) if url else within


def _value_set(url: str, lookup: Lookup) -> Json:
    found = lookup("ValueSet", url)
    if found is None:
        raise NotExpandable(f"the value set {url} is not here")
    return found


def _known(each: Json, lookup: Lookup) -> Codes | None:
    version = f"|{each['version']}" if "version" in each else ""
    system = lookup("CodeSystem", each["system"] + version)
    return None if system is None else codes(system)


def _selected(known: Codes, each: Json, allowance: Allowance) -> list[str]:
    allowance.spend(len(known.concepts) * (1 + len(each.get("filter", ()))))
    try:
        chosen = picked(known, each.get("filter", ()))
    except ValueError as error:
        raise NotExpandable(str(error)) from error
    return [code for code in chosen if known.concepts[code].is_selectable]


def _listed(value_set: Json) -> Coded:
    """The codes of a value set that brings its expansion along instead of saying how it is made."""
    expansion = value_set.get("expansion", {})
    found: Coded = {}
    pending = [*expansion.get("contains", ())]
    while pending:
        each = pending.pop(0)
        pending = [*each.get("contains", ()), *pending]
        if "code" in each and not each.get("abstract"):
            found[each.get("system", ""), each["code"]] = each.get("display", "")
    if expansion.get("total", 0) > len(found) or not expansion:
        raise NotExpandable(f"the value set {value_set.get('url', '')} does not say what it consists of")
    return found


def _limited(found: Coded) -> Coded:
    if len(found) > MOST:
        raise Problem.too_costly(f"the value set has more than {MOST} codes")
    return found


def _either(said: Iterable[bool | None]) -> bool | None:
    answers = set(said)
    return True if True in answers else None if None in answers else False


def _both(said: Iterable[bool | None]) -> bool | None:
    answers = set(said)
    return False if False in answers or not answers else None if None in answers else True

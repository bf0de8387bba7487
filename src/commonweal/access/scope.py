"""Scopes of SMART App Launch 2.2: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from commonweal.fhir.elements import is_resource_type

LETTERS = {"create": "c", "read": "r", "history": "r", "update": "u", "delete": "d", "search": "s"}
"""The letter of a scope that each interaction takes."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`context` is "patient", "user" or "system"; `type` a resource type or "*"; `letters` of "cruds";
    `constraint` what may follow the question mark ("category=laboratory")."""

    context: str
    type: str
    letters: frozenset[str]
    constraint: str = ""


def covers(scopes: Iterable[Scope], interaction: str) -> bool:
    """Does some scope allow "Type.read", or an operation on a type ("Type/$everything": whoever may read it)?"""
    type, separator, verb = interaction.partition("/" if "/" in interaction else ".")
    letter = "r" if separator == "/" else LETTERS[verb]
    return any(letter in scope.letters and scope.type in ("*", type) for scope in scopes)


def holds(scopes: Iterable[Scope], letters: str | None) -> bool:
    """Does one scope hold all of these letters? None asks for what no scope can give."""
    return letters is not None and any(scope.letters.issuperset(letters) for scope in scopes)


ORDER = "cruds"
FIRST = {"read": "rs", "write": "cud", "*": ORDER}
"""What the first version of SMART wrote instead of letters."""
_WRITTEN = re.compile(
    r"(patient|user|system)/(\*|[A-Za-z]{1,64})\.(read|write|\*|c?r?u?d?s?)(?:\?([^\s?]{1,512}))?"
)


def parsed(text: str) -> Scope | None:
    """One scope for resources, in either version's syntax; None for what is no such scope.

    >>> parsed("patient/Observation.rs?category=laboratory").constraint
    'category=laboratory'
    >>> printed(parsed("user/*.read"))
    'user/*.rs'
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or not found[3]:
        return None
    context, type, letters, constraint = found.groups()
    if constraint and letters in FIRST:
        return None
    if type != "*" and not is_resource_type(type):
        return None
    return Scope(context, type, frozenset(FIRST.get(letters, letters)), constraint or "")


def printed(scope: Scope) -> str:
    """The scope as version 2 writes it."""
    letters = "".join(each for each in ORDER if each in scope.letters)
    constraint = f"?{scope.constraint}" if scope.constraint else ""
    return f"{scope.context}/{scope.type}.{letters}{constraint}"


def common(one: Scope, other: Scope) -> Scope | None:
    """What both allow; None when that is nothing. Two constraints must both hold, as search joins them by "&"."""
    letters = one.letters & other.letters
    if one.context != other.context or not letters or len({one.type, other.type, "*"}) > 2:
        return None
    type = other.type if one.type == "*" else one.type
    constraints = dict.fromkeys(filter(None, (one.constraint, other.constraint)))
    return Scope(one.context, type, letters, "&".join(constraints))


def narrowed(asked: Iterable[Scope], allowed: Iterable[Scope]) -> tuple[Scope, ...]:
    """Everything of what is asked that is allowed too, in the order asked, nothing twice."""
    limits = tuple(allowed)
    both = (common(one, other) for one in asked for other in limits)
    return tuple(dict.fromkeys(each for each in both if each is not None))

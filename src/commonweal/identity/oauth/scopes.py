"""Which scopes an app gets of those it asks for: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from commonweal.access.agent import Agent
from commonweal.access.scope import LETTERS, Scope, narrowed, parsed, printed
from commonweal.fhir.elements import RESOURCE_TYPES

May = Callable[[Agent, str], object]
"""Truthy when an agent may do "Type.read" …: access.Policy.may."""

NAMED = frozenset(
    {
        "launch", "launch/patient", "launch/encounter", "openid", "fhirUser", "profile",
        "offline_access", "online_access",
    }
)  # fmt: skip
"""Those that name no resources."""


@dataclass(frozen=True, slots=True)
class Told:
    """One scope in parts, to be put into words: `name` for one of NAMED, else what it allows with which type.

    `text` is the scope as it is written, and what a form sends back; `letters` are of "cruds", in that order.
    """

    text: str
    name: str = ""
    context: str = ""
    type: str = ""
    letters: str = ""
    constraint: str = ""


def is_known(text: str) -> bool:
    """Is that a scope of SMART, of whatever version?"""
    return text in NAMED or parsed(text) is not None


def resources(texts: Iterable[str]) -> tuple[Scope, ...]:
    """Those that are about resources."""
    return tuple(scope for scope in map(parsed, texts) if scope is not None)


def has_context(texts: Iterable[str], context: str) -> bool:
    """Is one of them about the resources of "patient", "user" or "system"?"""
    return any(scope.context == context for scope in resources(texts))


def intersection(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """What is asked as far as it is allowed, written as it was asked where nothing was taken away."""
    allowed = tuple(allowed)
    limits = resources(allowed)
    return tuple(dict.fromkeys(text for each in asked for text in _left(each, allowed, limits)))


def of_contexts(texts: Iterable[str], *contexts: str) -> tuple[str, ...]:
    """Without those about resources in another context: nobody who signs in gets "system/", and no system "user/"."""
    told = ((text, parsed(text)) for text in texts)
    return tuple(text for text, scope in told if scope is None or scope.context in contexts)


def permitted(texts: Iterable[str], agent: Agent, may: May) -> tuple[str, ...]:
    """What of them the agent may do itself."""
    agent = replace(agent, scopes=None)
    return tuple(dict.fromkeys(text for each in texts for text in _own(each, agent, may)))


def told(texts: Iterable[str]) -> list[Told]:
    """The scopes in parts."""
    return [_parts(text) for text in texts]


def _left(text: str, allowed: tuple[str, ...], limits: tuple[Scope, ...]) -> Iterator[str]:
    scope = parsed(text)
    if scope is None:
        yield from (text,) if text in NAMED and text in allowed else ()
        return
    left = narrowed((scope,), limits)
    yield from (text,) if scope in left else map(printed, left)


def _own(text: str, agent: Agent, may: May) -> Iterator[str]:
    scope = parsed(text)
    if scope is None:
        yield text
        return
    letters = frozenset(letter for verb, letter in LETTERS.items() if _may(scope, verb, agent, may))
    left = replace(scope, letters=scope.letters & letters)
    if left.letters:
        yield text if left == scope else printed(left)


def _may(scope: Scope, verb: str, agent: Agent, may: May) -> bool:
    types = RESOURCE_TYPES if scope.type == "*" else (scope.type,)
    return LETTERS[verb] in scope.letters and any(may(agent, f"{type}.{verb}") for type in types)


def _parts(text: str) -> Told:
    scope = parsed(text)
    if scope is None:
        return Told(text, name=text)
    letters = printed(scope).partition(".")[2].partition("?")[0]
    return Told(text, "", scope.context, scope.type, letters, scope.constraint)

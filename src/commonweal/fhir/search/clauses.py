"""A search as it was understood: clauses that all must hold, and how the answer shall look."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.fhir.search.parameters import Parameter
from commonweal.fhir.search.values import Value

SUFFIXED = {"identifier": "token", "of-type": "token", "text": "string"}
"""Modifiers that look elsewhere in the index ("name:text"), and the kind of what is found there."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter and its values, any of which may match; `parameter.type` composite has CompositeValues.

    modifier: None, missing, exact, contains, text, not, in, not-in, below, above, of-type, identifier, or a
    resource type (already applied to the values).
    """

    parameter: Parameter
    modifier: str | None
    values: tuple[Value, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Where to look in the index: the parameter's names, with ":text" (…) added where the modifier asks."""
        if self.modifier in SUFFIXED:
            return tuple(f"{name}:{self.modifier}" for name in self.parameter.names)
        return self.parameter.names

    @property
    def kind(self) -> str:
        """What is compared: the parameter's type, unless the modifier changes it."""
        return "words" if self.parameter.has_words else SUFFIXED.get(self.modifier or "", self.parameter.type)

    @property
    def negated(self) -> bool:
        """:not and :not-in: holds when none of the values matches, also when there is nothing at all."""
        return self.modifier in ("not", "not-in")


@dataclass(frozen=True, slots=True)
class Chain:
    """`subject.name=…`: something `parameter` refers to is of one of the types and meets its clause."""

    parameter: Parameter
    branches: tuple[tuple[str, Clause], ...]


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:Observation:patient:code=…`: some `type` refers here by `parameter` and meets the clause."""

    type: str
    parameter: Parameter
    where: Clause


@dataclass(frozen=True, slots=True)
class Listed:
    """`_list=…`: it is an item of that List."""

    list_id: str


Clause = Criterion | Chain | Has | Listed


@dataclass(frozen=True, slots=True)
class Sort:
    parameter: Parameter
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """`_include=source:parameter:target` (`reverse`: _revinclude); parameter None is `*`, target None is any."""

    source: str
    parameter: Parameter | None
    target: str | None = None
    iterate: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search. `type` None: over all types, or over `types` if given. All of `where` must hold.

    `compartment`: ("Patient", "123"), see fhir/compartment.py. `total` is none, estimate or accurate; `summary`
    is None, true, text, data, count or false. `ignored`: keys of parameters that a lenient search did not know.
    """

    type: str | None
    where: tuple[Clause, ...] = ()
    types: tuple[str, ...] = ()
    compartment: tuple[str, str] | None = None
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    cursor: str | None = None
    includes: tuple[Include, ...] = ()
    summary: str | None = None
    elements: tuple[str, ...] = ()
    total: str = "none"
    ignored: tuple[str, ...] = ()

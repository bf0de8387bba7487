"""What the store knows about the search parameters of each type: their numbers, and what has a column."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from commonweal.fhir import compartment
from commonweal.fhir.compartment import ABOUT
from commonweal.fhir.elements import RESOURCE_TYPES, elements
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.parameters import Parameter, Registry

Connection = Any
MOST = 62
"""Bits for parameters in a row's `present`."""
DATE = (
    *("date", "authored-on", "authoredon", "period", "occurrence", "effective", "effective-time", "started"),
    *("whenhandedover", "onset-date", "recorded-date", "created", "authored", "issued", "sent", "start"),
    *("collected", "start-date", "recorded", "birthdate"),
)
"""Parameters that say when it happened, the most telling first; the first that exists once has the columns."""
CODE = ("code", "vaccine-code", "type", "class", "medication")
"""Parameters that say what it is, the most telling first."""
TELLING = ("identifier", "url", "phone", "email", "telecom")
"""Parameters whose values are nearly all different; of such values the database only knows that they are rare,
and takes them for far more common than they are."""

_PART = re.compile(
    r"\(*(\w+)\.(\w+)(?:\.where\(resolve\(\) is Patient\)|\)? as \w+\)?|\.(?:as|ofType)\(\w+\))*\)*"
)
PLAIN = frozenset({"boolean", "code", "uri"})
"""Types of elements whose text is what they are found by."""
LOCK = 0x66616374  # "fact"
"""Who registers parameters."""


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """One type's parameters; `bit` and `number` by name, `patient` the names the column answers for; `plain` those
    whose only value is the text of one element, which it names."""

    type: str
    parameters: Mapping[str, Parameter]
    bit: Mapping[str, int]
    number: Mapping[str, int]
    patient: frozenset[str]
    date: str | None
    code: str | None
    plain: Mapping[str, str]

    def bits(self, names: Iterable[str]) -> int:
        """The value of `present` for the parameters that have any value."""
        total = 0
        for name in names:
            if name in self.bit:
                total |= 1 << self.bit[name]
        return total


class Facts:
    """Facts of every type; the numbers are kept in the database and never change."""

    def __init__(self, registry: Registry, numbers: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        self.registry = registry
        self._of = {type: _facts(type, registry.of(type), numbers) for type in sorted(RESOURCE_TYPES)}

    def of(self, type: str) -> TypeFacts:
        """Problem 404 for what is no resource type."""
        if type not in self._of:
            raise Problem.of("cw-unknown-type", type=type)
        return self._of[type]

    @classmethod
    async def load(cls, connection: Connection, registry: Registry) -> "Facts":
        """Give a number to each parameter that has none yet."""
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
            rows = await connection.fetch("select type, name, number, bit from record.parameter")
            known = {(row["type"], row["name"]): row["bit"] for row in rows}
            new = [each for type in sorted(RESOURCE_TYPES) for each in _new(type, registry, known)]
            if new:
                columns = [list(column) for column in zip(*new, strict=True)]
                rows = await connection.fetch(
                    "with made as (insert into record.parameter (type, name, bit) "
                    "select * from unnest($1::text[], $2::text[], $3::int2[]) returning *) "
                    "select * from made union all select * from record.parameter",
                    *columns,
                )
        return cls(registry, {(row["type"], row["name"]): (row["number"], row["bit"]) for row in rows})


def _new(
    type: str, registry: Registry, known: Mapping[tuple[str, str], int]
) -> Iterable[tuple[str, str, int]]:
    taken = {bit for (of, _), bit in known.items() if of == type}
    free = iter(sorted(set(range(MOST)) - taken))
    for name in sorted(_numbered(registry.of(type).values())):
        if (type, name) not in known:
            bit = next(free, None)
            if bit is None:
                raise Problem.of("cw-exception", why=f"{type} has more than {MOST} search parameters")
            yield type, name, bit


def _numbered(parameters: Iterable[Parameter]) -> Iterable[str]:
    """What needs a number: whatever is indexed under its own name."""
    for each in parameters:
        if each.is_indexed:
            yield each.name


def _facts(
    type: str, parameters: Mapping[str, Parameter], numbers: Mapping[tuple[str, str], tuple[int, int]]
) -> TypeFacts:
    own = {name: numbers[type, name] for name in _numbered(parameters.values())}
    return TypeFacts(
        type,
        parameters,
        {name: bit for name, (_, bit) in own.items()},
        {name: number for name, (number, _) in own.items()},
        _patient(type, parameters),
        next((name for name in DATE if name in own and _once(type, parameters[name], "date")), None),
        next((name for name in CODE if name in own and parameters[name].type == "token"), None),
        dict(_plain(type, (parameters[name] for name in own))),
    )


def _patient(type: str, parameters: Mapping[str, Parameter]) -> frozenset[str]:
    """The parameters that look at just the one element by which `patient_of` tells whom a record is about."""
    names = compartment.parameters("Patient", type)
    first = min(names, key=lambda name: (*ABOUT, name).index(name), default=None)
    filling = _element(type, parameters[first]) if first else None
    if filling is None or filling not in elements(type) or elements(type)[filling].many:
        return frozenset()
    references = (p for p in parameters.values() if p.type == "reference" and p.is_indexed)
    return frozenset(p.name for p in references if _element(type, p) == filling)


def _plain(type: str, parameters: Iterable[Parameter]) -> Iterator[tuple[str, str]]:
    for each in parameters:
        found = elements(type).get(_element(type, each) or "")
        if each.type not in ("token", "uri") or found is None or found.many:
            continue
        if PLAIN.issuperset(found.types):
            yield each.name, found.name


def _once(type: str, parameter: Parameter, kind: str) -> bool:
    name = _element(type, parameter)
    return parameter.type == kind and name in elements(type) and not elements(type)[name or ""].many


def _element(type: str, parameter: Parameter) -> str | None:
    """The one element of the resource that a parameter looks at, if it is as simple as that."""
    matches = [_PART.fullmatch(part.strip()) for part in parameter.expression.split("|")]
    names = {match[2] for match in matches if match is not None and match[1] == type}
    return names.pop() if len(names) == 1 and None not in matches else None

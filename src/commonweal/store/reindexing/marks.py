"""What the entries of a search parameter depend on, as a number that changes when they would."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from commonweal.fhir.search.parameters import Parameter
from commonweal.store.facts import TypeFacts

FORM = 3
"""Grows when rows are made of the same parameters in another way; everything is then indexed anew."""


def marks(facts: TypeFacts, bases: tuple[str, ...]) -> dict[str, int]:
    """The mark of each parameter that is indexed under its own name."""
    return {name: _mark(facts, facts.parameters[name], bases) for name in facts.number}


def fingerprint(marks: Mapping[str, int]) -> int:
    """One number for all marks of a type."""
    return _hashed(sorted(marks.items()))


def _mark(facts: TypeFacts, parameter: Parameter, bases: tuple[str, ...]) -> int:
    columns = [parameter.name == facts.date, parameter.name == facts.code, parameter.name in facts.patient]
    addresses = bases if parameter.type in ("reference", "composite") else ()
    return _hashed((FORM, columns, addresses, _form(parameter)))


def _form(parameter: Parameter) -> tuple[Any, ...]:
    parts = [(part.name, _form(part)) for part in parameter.components]
    return parameter.type, parameter.expression, parameter.targets, parts


def _hashed(form: object) -> int:
    return int.from_bytes(blake2b(repr(form).encode(), digest_size=8).digest(), "big", signed=True)

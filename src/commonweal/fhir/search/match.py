"""What matches, in plain words of Python: the reference that every store must agree with.

https://hl7.org/fhir/R4/search.html leaves some things open; here is what is meant by a search here.

- The values of one parameter are alternatives, parameters repeated or different must all hold.
- Any one value of the resource that matches is enough, for every prefix: `ne` finds a resource with some value that
  is not within the one asked (so a resource with two values may match both eq and ne); without a value it never does.
- :not and :not-in find what none of the values matches, resources without any value included.
- Ranges have both ends included. COMPARISONS says what each prefix means for dates, numbers and quantities
  alike. What a resource says is exact unless it is a date, a Period, a Range or has a comparator; what the query
  says has its implicit precision for eq and ne, and for dates always. ap: see dates.approximate, numbers.around.
- Quantities: with a system, values in that unit (any commensurable one for UCUM); with `||code`, values whose code
  or printed unit is exactly that; without a unit, every value as it was written.
- Strings match from the beginning of a value (:contains anywhere) after strings.normalise; :exact is the
  whole value as it was written. :text is such a string on texts and displays, of references too.
- _text and _content: every word that is asked stands in the narrative, or anywhere in the resource (words.py).
- Uris are equal character by character; :below and :above go by whole segments of the path (strings.above).
- References match by "Type/id" (versions do not count) or by their whole text; canonicals with or without version.
- Composite: one element (or the resource, if `root`) satisfies every part. It is present, for :missing, when all
  its components are. A parameter with a `union` is any of the others.
- Chains and _has follow "Type/id" references to what is there and may be seen; `_list` asks List.entry.item.
- Sorting: ascending by the smallest value of a resource, descending by the largest; what has none comes last
  either way. Ranges sort by their beginning, tokens by code, references and uris by text, strings by their normalised
  form, all by code point; quantities by the value in base units where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Listed, Sort
from commonweal.fhir.search.compartments import parameters
from commonweal.fhir.search.entries import Indexed
from commonweal.fhir.search.parameters import COLUMNS, Parameter
from commonweal.fhir.search.reading import EARTH
from commonweal.fhir.search.strings import above
from commonweal.fhir.search.values import (
    CompositeValue,
    DateValue,
    MissingValue,
    NearValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
    WordsValue,
)

Number = int | float
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One current resource as search sees it; `updated` in microseconds is its _lastUpdated."""

    type: str
    id: str
    updated: int
    indexed: Indexed

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


class Others(Protocol):
    """The other resources, as far as the asker may see them (reach is applied by the store)."""

    def find(self, reference: str) -> Subject | None:
        """By "Type/id"."""

    def of(self, type: str) -> Iterable[Subject]:
        """All of one type."""


def matches(clause: Clause, subject: Subject, others: Others) -> bool:
    """Does the subject meet the clause?"""
    match clause:
        case Criterion():
            return _meets(clause, _asked(clause.parameter, subject))
        case Chain(parameter, branches):
            found = [others.find(target) for target in referred(parameter, subject.indexed)]
            return any(
                other is not None and other.type == type and matches(where, other, others)
                for other in found
                for type, where in branches
            )
        case Has(type, parameter, where):
            return any(
                subject.reference in referred(parameter, other.indexed) and matches(where, other, others)
                for other in others.of(type)
            )
        case Listed(list_id):
            listing = others.find(f"List/{list_id}")
            return listing is not None and ("item", subject.reference) in listing.indexed.references


def referred(parameter: Parameter, indexed: Indexed) -> set[str]:
    """What a resource refers to by a parameter."""
    return {target for name, target in indexed.references if name in parameter.names}


def in_compartment(inside: tuple[str, str], subject: Subject) -> bool:
    """Is the subject in the compartment, e.g. ("Patient", "123")?"""
    reference = "/".join(inside)
    names = parameters(inside[0], subject.type)
    found = any(name in names and target == reference for name, target in subject.indexed.references)
    return found or subject.reference == reference


def _asked(parameter: Parameter, subject: Subject) -> Indexed:
    """The index of a resource, or for `_id` and `_lastUpdated` what stores keep in columns."""
    if parameter.name not in COLUMNS:
        return subject.indexed
    return Indexed(
        tokens=[("_id", "", subject.id)], dates=[("_lastUpdated", subject.updated, subject.updated)]
    )


def _meets(criterion: Criterion, indexed: Indexed) -> bool:
    return any(_holds(criterion, value, indexed) for value in criterion.values) != criterion.negated


def _holds(criterion: Criterion, value: Value, indexed: Indexed) -> bool:
    """Does any value of the resource match this one?"""
    names, modifier = criterion.names, criterion.modifier
    match value:
        case MissingValue():
            return _is_present(criterion.parameter, indexed) != value.missing
        case TokenValue():
            return any(
                name in names and _is_code(value, system, code) for name, system, code in indexed.tokens
            )
        case StringValue():
            return any(
                n in names and _is_string(value, modifier, text, exact) for n, text, exact in indexed.strings
            )
        case WordsValue():
            return set(value.words) <= {word for name, word in indexed.words if name in names}
        case UriValue():
            return any(name in names and _is_uri(value, modifier, uri) for name, uri in indexed.uris)
        case ReferenceValue():
            return any(name in names and target in value.targets for name, target in indexed.references)
        case DateValue() | NumberValue() | QuantityValue():
            compare = COMPARISONS[value.prefix]
            return any(compare(value.lo, value.hi, lo, hi) for lo, hi in _ranges(names, value, indexed))
        case NearValue():
            return any(name in names and is_near(value, lat, lon) for name, lat, lon, _, _ in indexed.ranges)
        case CompositeValue():
            return _composed(criterion.parameter, value, indexed)


def _is_present(parameter: Parameter, indexed: Indexed) -> bool:
    if parameter.root:
        return all(_is_present(component, indexed) for component in parameter.components)
    if parameter.union:
        return any(_is_present(other, indexed) for other in parameter.union)
    return parameter.name in indexed.present


def _is_code(value: TokenValue, system: str, code: str) -> bool:
    if value.code is None and value.system is None:
        return (system, code) in value.codes
    return value.system in (None, system) and value.code in (None, code)


def _is_string(value: StringValue, modifier: str | None, text: str, exact: str) -> bool:
    if modifier == "exact":
        return exact == value.exact
    if modifier == "contains":
        return value.text in text
    return text.startswith(value.text)


def _is_uri(value: UriValue, modifier: str | None, uri: str) -> bool:
    if modifier == "below":
        return above(value.uri)[0] in above(uri)
    if modifier == "above":
        return above(uri)[0] in above(value.uri)
    return uri == value.uri


def _ranges(
    names: Names, value: DateValue | NumberValue | QuantityValue, indexed: Indexed
) -> Iterator[tuple[Number, Number]]:
    match value:
        case DateValue():
            yield from ((lo, hi) for name, lo, hi in indexed.dates if name in names)
        case NumberValue():
            yield from ((lo, hi) for name, lo, hi, _, _ in indexed.ranges if name in names)
        case QuantityValue(unit=unit, code=code):
            for name, lo, hi, its_unit, its_code in indexed.ranges:
                if name in names and unit == its_unit and code in (None, its_code):
                    yield lo, hi


Comparison = Callable[[Number, Number, Number, Number], bool]

COMPARISONS: dict[str, Comparison] = {
    "eq": lambda lo, hi, its_lo, its_hi: lo <= its_lo and its_hi <= hi,
    "ne": lambda lo, hi, its_lo, its_hi: not (lo <= its_lo and its_hi <= hi),
    "gt": lambda lo, hi, its_lo, its_hi: its_hi > hi,
    "lt": lambda lo, hi, its_lo, its_hi: its_lo < lo,
    "ge": lambda lo, hi, its_lo, its_hi: its_hi > hi or (lo <= its_lo and its_hi <= hi),
    "le": lambda lo, hi, its_lo, its_hi: its_lo < lo or (lo <= its_lo and its_hi <= hi),
    "sa": lambda lo, hi, its_lo, its_hi: its_lo > hi,
    "eb": lambda lo, hi, its_lo, its_hi: its_hi < lo,
    "ap": lambda lo, hi, its_lo, its_hi: its_lo <= hi and its_hi >= lo,
}
"""Each prefix, asked of the query's range and of the resource's."""


def is_near(value: NearValue, latitude: float, longitude: float) -> bool:
    """Within the distance, along a great circle (haversine)."""
    here, there = math.radians(value.latitude), math.radians(latitude)
    across = math.sin(math.radians(longitude - value.longitude) / 2) ** 2
    part = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * across
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, part))) <= value.km


def _composed(parameter: Parameter, value: CompositeValue, indexed: Indexed) -> bool:
    if parameter.union:
        return any(_composed(other, value, indexed) for other in parameter.union)
    parts = [
        Criterion(each, None, (part,)) for each, part in zip(parameter.components, value.parts, strict=True)
    ]
    if parameter.root:
        return all(_meets(part, indexed) for part in parts)
    return any(
        name == parameter.name and all(map(_meets, parts, elements)) for name, elements in indexed.composites
    )


def sort_key(sort: Sort, subject: Subject) -> tuple[bool, Number | str]:
    """(has no value, value): the smallest value when ascending, the largest when descending."""
    found = _sortable(sort.parameter, _asked(sort.parameter, subject))
    if not found:
        return True, ""
    return False, max(found) if sort.descending else min(found)


def _sortable(parameter: Parameter, indexed: Indexed) -> list[Any]:
    names = parameter.names
    match parameter.type:
        case "token":
            return [code for name, _, code in indexed.tokens if name in names]
        case "string":
            return [text for name, text, _ in indexed.strings if name in names]
        case "uri":
            return [uri for name, uri in indexed.uris if name in names]
        case "reference":
            return [target for name, target in indexed.references if name in names]
        case "date":
            return [lo for name, lo, _ in indexed.dates if name in names]
    found = [(lo, unit) for name, lo, _, unit, _ in indexed.ranges if name in names]
    based = [lo for lo, unit in found if unit]
    return based or [lo for lo, _ in found]

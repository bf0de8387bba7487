"""What a kick-off request asks: https://hl7.org/fhir/uv/bulkdata/STU2/export.html#bulk-data-kick-off-request.

What cannot be done is refused; with `Prefer: handling=lenient` it is left out and told in the export's `error`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from commonweal.api.request import RESOURCE_ID, Request
from commonweal.api.rest.given import parameters_of
from commonweal.api.times import span_of
from commonweal.fhir.compartment import parameters as inside
from commonweal.fhir.elements import RESOURCE_TYPES, elements
from commonweal.fhir.outcome import Issue, Problem, issue
from commonweal.fhir.search.clauses import Query
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse

Json = dict[str, Any]

NDJSON = ("application/fhir+ndjson", "application/ndjson", "ndjson")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
NEXT_QUERY = re.compile(r",(?=[A-Z][A-Za-z]{2,40}\?)")
FILTERS = 20
"""Queries of `_typeFilter` for one type: each but the first is asked what the ones before it found already."""


@dataclass(slots=True)
class Asked:
    """The parameters of an export as they were understood; `remarks` say what was left out."""

    types: tuple[str, ...] = ()
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    since: int | None = None
    elements: tuple[str, ...] = ()
    patients: tuple[str, ...] | None = None
    remarks: list[Issue] = field(default_factory=list)


class Reader:
    """Reads the parameters of one kick-off request; `level` is system, patient or group."""

    def __init__(self, request: Request, level: str) -> None:
        self._registry: Registry = request.site.catalogue.registry
        self._lenient = "handling=lenient" in request.header(b"prefer").replace(" ", "").lower()
        self._is_post = request.method == "POST"
        self._level = level
        self._values = dict[str, list[str]]()
        self.asked = Asked()
        for name, value in _given(request):
            self._values.setdefault(name, []).append(value)

    def read(self) -> Asked:
        """Problem 400 for what cannot be done, unless the caller is lenient."""
        readers = {
            "_outputFormat": self._format,
            "_since": self._since,
            "_type": self._types,
            "_typeFilter": self._filters,
            "_elements": self._elements,
            "patient": self._patients,
        }
        for name in self._values:
            if name not in readers:
                self._refuse(_unsupported(name))
        for name, reader in readers.items():
            if name in self._values:
                reader(self._values[name])
        return self.asked

    def _format(self, values: Sequence[str]) -> None:
        """A plus sign in an address may have been read as a space."""
        for value in values:
            if value.strip().replace(" ", "+") not in NDJSON:
                self._refuse(_bad("_outputFormat", f"files are {NDJSON[0]} only"))

    def _since(self, values: Sequence[str]) -> None:
        text = values[-1].strip().replace(" ", "+")
        if len(values) > 1 or not INSTANT.fullmatch(text):
            self._refuse(_bad("_since", "it is one instant, such as 2026-01-31T08:00:00Z"))
        else:
            self.asked.since = span_of("_since", text)[0]

    def _types(self, values: Sequence[str]) -> None:
        names = [name.strip() for name in _listed(values)]
        self.asked.types = tuple(dict.fromkeys(name for name in names if self._is_type(name)))
        if not self.asked.types:
            raise Problem.of(
                "cw-bad-parameter", name="_type", why="it names no type that can be exported here"
            )

    def _is_type(self, name: str) -> bool:
        if name not in RESOURCE_TYPES:
            self._refuse(_bad("_type", f"'{name[:64]}' is not a FHIR R4 resource type"))
        elif not is_exported(name, self._level):
            self._refuse(_bad("_type", f"no {name} is in a patient's compartment; export it at system level"))
        else:
            return True
        return False

    def _filters(self, values: Sequence[str]) -> None:
        for query in (each for value in values for each in NEXT_QUERY.split(value) if each.strip()):
            type = query.partition("?")[0]
            if not self._is_filter(type, query.strip()):
                continue
            known = self.asked.filters.get(type, ())
            self.asked.filters[type] = tuple(dict.fromkeys((*known, query.strip())))
            if len(self.asked.filters[type]) > FILTERS:
                raise Problem.of("cw-too-many", limit=FILTERS, what=f"queries of _typeFilter for {type}")

    def _is_filter(self, type: str, query: str) -> bool:
        if "?" not in query or (
            type not in self.asked.types if self.asked.types else not self._is_type(type)
        ):
            self._refuse(_bad("_typeFilter", f"'{query[:100]}' is not a query of an exported type"))
            return False
        try:
            query_of(query, self._registry)
        except Problem as problem:
            for each in problem.issues:
                self._refuse(each)
            return False
        return True

    def _elements(self, values: Sequence[str]) -> None:
        names = [name.strip() for name in _listed(values)]
        self.asked.elements = tuple(name for name in names if self._is_element(name))

    def _is_element(self, name: str) -> bool:
        type, _, element = name.rpartition(".")
        types = [type] if type else sorted(RESOURCE_TYPES)
        known = set(types) <= RESOURCE_TYPES and any(element in _roots(each) for each in types)
        if not known:
            self._refuse(_bad("_elements", f"'{name[:100]}' is neither element nor Type.element at the root"))
        return known

    def _patients(self, values: Sequence[str]) -> None:
        if self._level == "system" or not self._is_post:
            self._refuse(_bad("patient", "it is for exports of patients and groups by POST"))
            return
        ids = [value.strip().removeprefix("Patient/") for value in _listed(values)]
        wrong = next((id for id in ids if not RESOURCE_ID.fullmatch(id)), None)
        if wrong is not None:
            self._refuse(
                _bad("patient", f"'{wrong[:100]}' is not a reference to a patient, such as Patient/123")
            )
        self.asked.patients = tuple(dict.fromkeys(id for id in ids if RESOURCE_ID.fullmatch(id)))

    def leave_out(self, fault: Issue) -> None:
        """Refuse for a reason found later, unless the caller is lenient."""
        self._refuse(fault)

    def _refuse(self, fault: Issue) -> None:
        if not self._lenient:
            raise Problem(400, (fault,))
        self.asked.remarks.append(
            Issue("warning", fault.code, fault.diagnostics, fault.expression, fault.details)
        )


def is_exported(type: str, level: str) -> bool:
    """Are there files of this type at this level? Below the system it is what a patient's compartment holds."""
    return level == "system" or type == "Patient" or bool(inside("Patient", type))


def query_of(filter: str, registry: Registry) -> Query:
    """A query of `_typeFilter`; Problem 400 unless all it does is to say which resources match."""
    type, _, text = filter.partition("?")
    query = parse(type, parse_qsl(text, keep_blank_values=True, max_num_fields=64), registry, lenient=False)
    if query != Query(type, query.where):
        raise Problem.of(
            "cw-bad-parameter", name="_typeFilter", why=f"'{filter[:100]}' does more than to filter"
        )
    return query


def _given(request: Request) -> Iterator[tuple[str, str]]:
    """Names and texts, of the address and of a Parameters resource."""
    for each in parameters_of(request)["parameter"]:
        values = [value for key, value in each.items() if key.startswith("value")]
        yield each["name"], _text(values[0]) if values else ""


def _text(value: Any) -> str:
    return str(value.get("reference", "")) if isinstance(value, Mapping) else str(value)


def _listed(values: Sequence[str]) -> list[str]:
    """Repeated values are as good as commas between them."""
    return [each for value in values for each in value.split(",") if each.strip()]


def _roots(type: str) -> frozenset[str]:
    return frozenset(each.name for each in elements(type).values())


def _bad(name: str, why: str) -> Issue:
    return issue("cw-bad-parameter", name=name, why=why)


def _unsupported(name: str) -> Issue:
    return issue("cw-unknown-parameter", name=name[:64], type="$export")

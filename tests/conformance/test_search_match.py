"""What matches a search and what does not: https://hl7.org/fhir/R4/search.html#prefix.

The tables are the reference that every store agrees with; most stand in search_matches.txt.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.fhir.search import dates
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.match import COMPARISONS, Subject, in_compartment, matches, sort_key
from commonweal.fhir.search.numbers import around, united
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import Expand, parse
from commonweal.fhir.search.strings import above, normalise

Json = dict[str, Any]
REGISTRY = Registry()
UPDATED = dates.span("2020-06-01T12:00:00.123456Z")[0]
UCUM = "http://unitsofmeasure.org"


class World:
    """A handful of resources, as the memory store would offer them."""

    def __init__(self, *resources: Json) -> None:
        self.all = [self.subject(each) for each in resources]

    @staticmethod
    def subject(resource: Json) -> Subject:
        return Subject(
            resource["resourceType"], resource.get("id", "x"), UPDATED, extract(resource, REGISTRY)
        )

    def find(self, reference: str) -> Subject | None:
        return next((each for each in self.all if each.reference == reference), None)

    def of(self, type: str) -> Iterable[Subject]:
        return [each for each in self.all if each.type == type]


def found(search: str, subject: Subject, world: World, expand: Expand | None = None) -> bool:
    type, _, text = search.partition("?")
    query = parse(type, parse_qsl(text, keep_blank_values=True), REGISTRY, lenient=False, expand=expand)
    return subject.type == type and all(matches(clause, subject, world) for clause in query.where)


def cases() -> Iterator[Any]:
    """The cases of search_matches.txt: resource, search, whether it finds it."""
    type = words = ""
    for line in (Path(__file__).parent / "search_matches.txt").read_text(encoding="utf-8").splitlines()[3:]:
        if line.startswith("== "):
            _, type, maker = line.split()
        elif not line.startswith("    "):
            words = line.replace("UCUM", UCUM)
        else:
            says, *searches = line.replace("UCUM", UCUM).split()
            for search in searches:
                name = f"{words} {says} {search}"
                yield pytest.param(MAKERS[maker](words), f"{type}?{search}", says == "finds", id=name)


def born(text: str) -> Json:
    return {"resourceType": "Patient", "birthDate": text} if text != "-" else {"resourceType": "Patient"}


def period(text: str) -> Json:
    start, _, end = text.partition("/")
    stated = {name: value for name, value in (("start", start), ("end", end)) if value != ".."}
    return {"resourceType": "Encounter", "period": stated}


def instant(text: str) -> Json:
    return {"resourceType": "Observation", "effectiveDateTime": text}


def probability(text: str) -> Json:
    return {
        "resourceType": "RiskAssessment",
        "prediction": [{"probabilityDecimal": Decimal(p)} for p in text.split()],
    }


def quantity(text: str) -> Json:
    number, unit, code, system = [*text.split(), "", "", ""][:4]
    comparator = number[0] if number[0] in "<>" else None
    stated = {"value": Decimal(number.strip("<>")), "unit": unit, "code": code, "system": system}
    value = {name: each for name, each in (stated | {"comparator": comparator}).items() if each}
    return {"resourceType": "Observation", "valueQuantity": value}


def named(text: str) -> Json:
    return {"resourceType": "Patient", "name": [{"text": each.replace("_", " ")} for each in text.split()]}


def coded(text: str) -> Json:
    codings = [dict(zip(("system", "code"), each.split("|"), strict=True)) for each in text.split()]
    codings = [{name: value for name, value in each.items() if value} for each in codings]
    return (
        {"resourceType": "Condition", "code": {"coding": codings}}
        if codings
        else {"resourceType": "Condition"}
    )


def defined(text: str) -> Json:
    return {"resourceType": "ValueSet", "url": text}


def about(text: str) -> Json:
    return {"resourceType": "Observation", "subject": {"reference": text}}


def placed(text: str) -> Json:
    latitude, longitude = text.split("/")
    return {
        "resourceType": "Location",
        "position": {"latitude": float(latitude), "longitude": float(longitude)},
    }


MAKERS = {
    make.__name__: make
    for make in (born, period, instant, probability, quantity, named, coded, defined, about, placed)
}


@pytest.mark.parametrize(("resource", "search", "wanted"), list(cases()))
def test_a_search_finds_what_it_should(resource: Json, search: str, wanted: bool) -> None:
    assert found(search, World.subject(resource), World()) is wanted


def coding(code: str) -> Json:
    return {"coding": [{"system": "l", "code": code}]}


PRESSURE: Json = {
    "resourceType": "Observation", "id": "bp", "code": coding("bp"), "subject": {"reference": "Patient/1"},
    "component": [
        {"code": coding("sys"), "valueQuantity": {"value": 120}},
        {"code": coding("dia"), "valueQuantity": {"value": 80}},
    ],
}  # fmt: skip
HEIGHT: Json = {
    "resourceType": "Observation", "id": "h", "code": coding("height"), "valueQuantity": {"value": 170},
    "subject": {"reference": "Patient/2"}, "performer": [{"reference": "Practitioner/d"}],
}  # fmt: skip
WORLD = World(
    PRESSURE,
    HEIGHT,
    {"resourceType": "Patient", "id": "1", "name": [{"family": "Li"}],
     "managingOrganization": {"reference": "Organization/o"}},
    {"resourceType": "Patient", "id": "2", "name": [{"family": "Wu"}]},
    {"resourceType": "Organization", "id": "o", "name": "County"},
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Do"}]},
    {"resourceType": "List", "id": "l", "entry": [{"item": {"reference": "Patient/2"}}]},
    {"resourceType": "Provenance", "id": "v", "target": [{"reference": "Observation/bp"}], "activity": coding("x"),
     "agent": [{"who": {"reference": "Practitioner/d"}}]},
)  # fmt: skip

TOGETHER = """
component-code-value-quantity=sys$120              : bp
component-code-value-quantity=sys$80               :
component-code-value-quantity=sys$lt100,dia$lt100  : bp
code-value-quantity=height$ge170                   : h
code-value-quantity=bp$120                         :
combo-code-value-quantity=sys$gt100,height$gt160   : bp h
combo-code=dia                                     : bp
combo-code:not=dia                                 : h
combo-value-quantity=170                           : h
component-code-value-quantity:missing=false        : bp
code-value-quantity:missing=false                  : h
combo-code-value-quantity:missing=true             :
subject:Patient.family=li                          : bp
subject.name=wu                                    : h
subject.family=li,wu                               : bp h
subject:Patient.organization.name=cou              : bp
subject:Patient.organization:missing=true          : h
subject:Patient._id=1                              : bp
patient._has:Observation:patient:code=height       : h
performer:Practitioner.name=do                     : h
_has:Provenance:target:agent=Practitioner/d        : bp
_has:Provenance:target:agent:Practitioner.name=do  : bp
_has:Provenance:target:agent:Practitioner.name=x   :
_id=h,x                                            : h
_id:not=h                                          : bp
_lastUpdated=2020-06-01T12:00:00.123456Z           : bp h
_lastUpdated=gt2020-06-01                          :
_lastUpdated=gt2020-06-01T12:00:00.123455Z         : bp h
"""


@pytest.mark.parametrize("line", TOGETHER.strip().splitlines())
def test_composites_chains_and_columns(line: str) -> None:
    search, _, wanted = line.partition(" :")
    hits = [
        each.id for each in WORLD.of("Observation") if found(f"Observation?{search.strip()}", each, WORLD)
    ]
    assert hits == wanted.split()


def test_lists_and_nested_has() -> None:
    def hits(search: str) -> list[str]:
        return [each.id for each in WORLD.of("Patient") if found(f"Patient?{search}", each, WORLD)]

    assert hits("_list=l") == ["2"]
    assert hits("_list=none") == []
    assert hits("_has:Observation:patient:_has:Provenance:target:agent=Practitioner/d") == ["1"]


def test_value_sets_match_by_their_expansion() -> None:
    subject = World.subject(coded("s|a t|b"))
    codes = {
        ("http://v", ""): [("s", "a")],
        ("http://w", ""): [("s", "b")],
        ("s", "root"): [("t", "b")],
    }

    def says(search: str) -> bool:
        return found(f"Condition?{search}", subject, World(), lambda _, *about: codes[about])

    assert says("code:in=http://v") and not says("code:in=http://w") and says("code:in=http://w,http://v")
    assert says("code:not-in=http://w") and not says("code:not-in=http://w,http://v")
    assert says("code:below=s|root")


def test_compartments() -> None:
    assert in_compartment(("Patient", "1"), World.subject(PRESSURE))
    assert not in_compartment(("Patient", "2"), World.subject(PRESSURE))
    assert in_compartment(("Practitioner", "d"), World.subject(HEIGHT))
    assert in_compartment(("Patient", "1"), WORLD.all[2]) and not in_compartment(
        ("Patient", "1"), WORLD.all[3]
    )


CODES = {"code": coding("b"), "component": [{"code": coding("a")}]}
SORTS = [
    ("Patient", "birthdate", {"birthDate": "1970"}, 0, 0),
    ("Patient", "name", {"name": [{"family": "Wu", "given": ["Ärz"]}]}, "arz", "wu"),
    ("Patient", "name", {}, None, None),
    ("Patient", "gender", {"gender": "male"}, "male", "male"),
    ("Patient", "_id", {"id": "7"}, "7", "7"),
    ("Patient", "_lastUpdated", {}, UPDATED, UPDATED),
    ("Patient", "organization", {"managingOrganization": {"reference": "O/1"}}, "O/1", "O/1"),
    ("Encounter", "date", {"period": {"start": "1970", "end": "1980"}}, 0, 0),
    ("Observation", "value-quantity", {"valueQuantity": {"value": 5}}, 5.0, 5.0),
    (
        "Observation",
        "value-quantity",
        {"valueQuantity": {"value": 5, "system": UCUM, "code": "kg"}},
        5e3,
        5e3,
    ),
    ("Observation", "combo-code", CODES, "a", "b"),
    ("ValueSet", "url", {"url": "http://x"}, "http://x", "http://x"),
]


@pytest.mark.parametrize(("type", "name", "resource", "smallest", "largest"), SORTS)
def test_sorting_takes_the_smallest_or_the_largest(
    type: str, name: str, resource: Json, smallest: Any, largest: Any
) -> None:
    subject = World.subject(resource | {"resourceType": type})
    for text, wanted in ((name, smallest), (f"-{name}", largest)):
        (sort,) = parse(type, [("_sort", text)], REGISTRY).sort
        assert sort_key(sort, subject) == (wanted is None, "" if wanted is None else wanted)


SPANS = {
    "1970": (0, 31_535_999_999_999),
    "2020-02": (dates.span("2020-02-01")[0], dates.span("2020-02-29")[1]),
    "9999": (253_370_764_800_000_000, 253_402_300_799_999_999),
    "0001-01-01": (-62_135_596_800_000_000, -62_135_510_400_000_001),
    "1970-01-01T00:00:00Z": (0, 999_999),
    "1970-01-01T00:00:00.1Z": (100_000, 199_999),
    "1970-01-01T00:00:00.123456789Z": (123_456, 123_456),
    "1970-01-01T01:00:00+01:00": (0, 999_999),
    "1970-01-01T00:00": (0, 59_999_999),
    "0001-01-01T00:00:00+14:00": (-62_135_647_200_000_000, -62_135_647_199_000_001),
}


@pytest.mark.parametrize(("text", "wanted"), SPANS.items())
def test_dates_last_as_long_as_their_precision(text: str, wanted: tuple[int, int]) -> None:
    assert dates.span(text) == wanted


@given(st.datetimes(timezones=st.timezones()))
def test_every_instant_lies_within_its_day_month_and_year(moment: Any) -> None:
    lo, hi = dates.span(moment.isoformat(timespec="seconds")[:19] + "Z")
    for length in (4, 7, 10, 16):
        wider = dates.span(moment.isoformat()[:length])
        assert wider[0] <= lo <= hi <= wider[1]


@given(st.text(alphabet="0123456789-T:.Z+", max_size=30))
def test_any_text_is_a_date_or_is_not(text: str) -> None:
    try:
        lo, hi = dates.span(text)
    except ValueError:
        return
    assert lo <= hi


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet="ab/:", max_size=20))
def test_a_uri_lies_below_what_it_lies_above(uri: str) -> None:
    assert above("http://" + uri)[0] in above("http://" + uri + "/c")
    assert len(above("http://" + "/" * 10_000)) <= 34


RANGES = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted)


@given(RANGES, RANGES)
def test_prefixes_divide_the_world(asked: list[int], its: list[int]) -> None:
    says = {prefix: compare(*asked, *its) for prefix, compare in COMPARISONS.items()}
    assert says["eq"] != says["ne"]
    assert says["sa"] <= says["gt"] <= says["ge"] and says["eb"] <= says["lt"] <= says["le"]
    assert says["sa"] + says["eb"] + says["ap"] == 1
    assert says["gt"] or says["lt"] or says["eq"]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_number_lies_within_its_own_precision(number: Decimal) -> None:
    for prefix in ("eq", "ap"):
        lo, hi = around(number, prefix)
        assert lo <= number < hi
    assert united(number, UCUM, "mg") == united(number / 1000, UCUM, "g")

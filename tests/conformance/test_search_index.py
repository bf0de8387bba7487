"""What a resource can be found by: https://hl7.org/fhir/R4/search.html#ptypes."""

import json
import lzma
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from commonweal.fhir import compartment
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search import plan
from commonweal.fhir.search.dates import AFTER, BEFORE, span
from commonweal.fhir.search.entries import Indexed
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.paths import NotPlain, routes
from commonweal.fhir.search.words import VISITS

Json = dict[str, Any]
REGISTRY = Registry(bases=["https://here.example/fhir"])
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
LISTS = ("tokens", "uris", "references", "strings", "dates", "ranges")


def synthea(shared_data: Path) -> Iterator[Json]:
    with tarfile.open(shared_data / "synthea-r4" / "synthea-40-patients.tar.xz") as archive:
        for member in archive:
            if file := archive.extractfile(member):
                for entry in json.load(file, parse_float=Decimal).get("entry", []):
                    yield entry["resource"]


def definitions(shared_data: Path) -> Iterator[Json]:
    for name in (
        "search-parameters",
        "valuesets",
        "conceptmaps",
        "extension-definitions",
        "profiles-resources",
    ):
        with lzma.open(
            shared_data / "fhir-r4-definitions" / f"{name}.ndjson.xz", "rt", encoding="utf-8"
        ) as lines:
            yield from (json.loads(line, parse_float=Decimal) for line in islice(lines, 0, 300, 6))


def by_engine(resource: Json) -> Indexed:
    """The same index made by the general FHIRPath engine, which knows nothing of routes."""
    found = Indexed()
    for parameter in REGISTRY.of(resource["resourceType"]).values():
        if parameter.is_indexed and parameter.type != "composite" and not parameter.has_words:
            plan.by_engine(parameter, REGISTRY.bases)(resource, found)
    return found


def same(left: Indexed, right: Indexed) -> bool:
    others = {name for name, _ in left.composites} | VISITS.keys()
    return left.present - others == right.present and all(
        set(getattr(left, name)) == set(getattr(right, name)) for name in LISTS
    )


@pytest.mark.parametrize("source", [synthea, definitions])
def test_compiled_paths_give_what_the_engine_gives(source: Any, shared_data: Path) -> None:
    seen = 0
    for resource in islice(source(shared_data), 0, None, 9):
        assert same(extract(resource, REGISTRY), by_engine(resource)), resource
        seen += 1
    assert seen > 20


def test_only_three_expressions_of_r4_need_the_engine() -> None:
    needing = set()
    for type in RESOURCE_TYPES:
        for parameter in (each for each in REGISTRY.of(type).values() if not each.has_words):
            try:
                routes(parameter.expression, type)
            except NotPlain:
                needing.add(f"{type}.{parameter.name}")
    assert needing == {"Bundle.composition", "Bundle.message", "Patient.deceased"}


OBSERVATION: Json = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"profile": ["http://x/p|2"], "tag": [{"system": "http://x", "code": "t"}], "source": "http://s"},
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "85354-9", "display": "Blood Pressure"}], "text": "Druck"},
    "subject": {"reference": "https://here.example/fhir/Patient/1/_history/2"},
    "effectivePeriod": {"start": "2020-03-05"},
    "performer": [{"reference": "#d"}, {"identifier": {"system": "http://i", "value": "7"}, "type": "Practitioner"}],
    "valueQuantity": {
        "value": Decimal("120"), "unit": "millimetres of mercury", "system": UCUM, "code": "mm[Hg]", "comparator": "<",
    },
    "component": [
        {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": {"value": 107, "code": "mm[Hg]"}},
        {"code": {"coding": [{"system": LOINC, "code": "8462-4"}]}},
    ],
}  # fmt: skip


def test_an_observation_yields_all_it_can_be_found_by() -> None:
    found = extract(OBSERVATION, REGISTRY)
    assert set(found.tokens) == {
        ("_tag", "http://x", "t"), ("status", "", "final"), ("code", LOINC, "85354-9"),
        ("component-code", LOINC, "8480-6"), ("component-code", LOINC, "8462-4"),
        ("performer:identifier", "http://i", "7"),
    }  # fmt: skip
    assert set(found.references) == {("subject", "Patient/1"), ("patient", "Patient/1")}
    assert set(found.uris) == {
        ("_profile", "http://x/p|2"),
        ("_profile", "http://x/p"),
        ("_source", "http://s"),
    }
    assert ("code:text", "blood pressure", "Blood Pressure") in found.strings
    assert found.dates == [("date", span("2020-03-05")[0], AFTER)]
    given = {
        (lo, code) for name, lo, hi, unit, code in found.ranges if name == "value-quantity" and 119 < hi < 120
    }
    assert given == {(float("-inf"), "mm[Hg]"), (float("-inf"), "millimetres of mercury")}
    assert ("component-value-quantity", 107.0, 107.0, "", "mm[Hg]") in found.ranges
    assert [(name, parts[0].tokens[0][2]) for name, parts in found.composites] == [
        ("component-code-value-quantity", "8480-6")
    ]
    assert "performer" in found.present and "encounter" not in found.present
    assert not {"combo-code", "code-value-quantity", "_id", "_lastUpdated"} & found.present


def only(kind: str, name: str, element: Any, type: str, **more: Any) -> list[Any]:
    """The entries of one parameter of a small resource."""
    resource = {"resourceType": type, **element, **more}
    return sorted({entry[1:] for entry in getattr(extract(resource, REGISTRY), kind) if entry[0] == name})


CANONICAL = "http://unitsofmeasure.org|"
ELEMENTS: list[tuple[str, str, str, Json, list[Any]]] = [
    ("Patient", "tokens", "active", {"active": True}, [("", "true")]),
    ("Patient", "tokens", "deceased", {"deceasedDateTime": "2020"}, [("", "true")]),
    ("Patient", "tokens", "deceased", {"deceasedBoolean": False}, [("", "false")]),
    ("Patient", "tokens", "deceased", {}, [("", "false")]),
    ("Patient", "tokens", "phone", {"telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}]},
     [("phone", "1")]),
    ("Patient", "tokens", "identifier:of-type",
     {"identifier": [{"value": "9", "type": {"coding": [{"system": "s", "code": "MR"}]}}]}, [("s", "MR|9")]),
    ("Patient", "strings", "name", {"name": [{"family": "Ärz", "given": ["Jo", None], "_given": [None, {"id": "x"}]}]},
     [("arz", "Ärz"), ("jo", "Jo")]),
    ("Patient", "strings", "address", {"address": [{"city": "Ulm", "line": ["A"]}]}, [("a", "A"), ("ulm", "Ulm")]),
    ("Patient", "dates", "birthdate", {"birthDate": "1970"}, [(0, 31_535_999_999_999)]),
    ("Patient", "dates", "birthdate", {"birthDate": "1970-02-31"}, []),
    ("Condition", "strings", "onset-info", {"onsetString": "May"}, [("may", "May")]),
    ("Condition", "ranges", "onset-age", {"onsetAge": {"value": 1, "system": UCUM, "code": "a"}},
     [(1.0, 1.0, "", "a"), (31557600.0, 31557600.0, CANONICAL + "s", "")]),
    ("Condition", "ranges", "onset-age", {"onsetRange": {"low": {"value": 1, "code": "a"}}},
     [(1.0, float("inf"), "", "a")]),
    ("ServiceRequest", "dates", "occurrence", {"occurrenceTiming": {"event": ["2020", "2018"]}},
     [(span("2018")[0], span("2020")[1])]),
    ("ServiceRequest", "dates", "occurrence",
     {"occurrenceTiming": {"repeat": {"boundsPeriod": {"end": "2020"}}}}, [(BEFORE, span("2020")[1])]),
    ("Location", "ranges", "near", {"position": {"latitude": Decimal("31.2"), "longitude": 121}},
     [(31.2, 121.0, "", "")]),
    ("ChargeItem", "ranges", "price-override", {"priceOverride": {"value": 5, "currency": "EUR"}},
     [(5.0, 5.0, "", "EUR"), (5.0, 5.0, "urn:iso:std:iso:4217|EUR", "")]),
    ("PlanDefinition", "references", "depends-on",
     {"relatedArtifact": [{"type": "depends-on", "resource": "http://l|1"}, {"type": "successor", "resource": "m:n"}]},
     [("http://l",), ("http://l|1",)]),
    ("RiskAssessment", "ranges", "probability", {"prediction": [{"probabilityDecimal": Decimal("0.8")}]},
     [(0.8, 0.8, "", "")]),
    ("Bundle", "references", "composition", {"entry": [{"resource": {"resourceType": "Composition", "id": "c"}}]},
     [("Composition/c",)]),
    ("Account", "references", "patient", {"subject": [{"reference": "Patient/1"}, {"reference": "Group/2"}]},
     [("Patient/1",)]),
    ("DocumentReference", "references", "related", {"context": {"related": [{"reference": "urn:uuid:1"}]}},
     [("urn:uuid:1",)]),
]  # fmt: skip


@pytest.mark.parametrize(("type", "kind", "name", "element", "wanted"), ELEMENTS)
def test_each_kind_of_element_is_indexed(
    type: str, kind: str, name: str, element: Json, wanted: list[Any]
) -> None:
    assert only(kind, name, element, type) == wanted


def test_a_service_adds_parameters_of_its_own() -> None:
    own = {
        "url": "http://o/eyes",
        "code": "eyes",
        "type": "token",
        "base": ["Patient"],
        "resourceType": "SearchParameter",
    }
    plain = Registry([own | {"expression": "Patient.extension.where(url = 'http://e').value.ofType(code)"}])
    engine = Registry([own | {"expression": "Patient.extension('http://e').value.ofType(code)"}])
    patient = {
        "resourceType": "Patient",
        "extension": [{"url": "http://e", "valueCode": "blue"}, {"url": "http://f"}],
    }
    for registry in (plain, engine):
        assert ("eyes", "", "blue") in extract(patient, registry).tokens


def own(name: str, kind: str, expression: str, *components: tuple[str, str]) -> Json:
    """A SearchParameter of a service for Observations."""
    parts = [
        {"definition": f"http://hl7.org/fhir/SearchParameter/{d}", "expression": e} for d, e in components
    ]
    more = {"component": parts} if parts else {}
    return {
        "url": f"http://o/{name}",
        "code": name,
        "type": kind,
        "base": ["Observation"],
        "expression": expression,
    } | more


def test_expressions_of_a_service_may_have_any_form() -> None:
    both = own("both", "composite", "Observation | Observation.component",
               ("clinical-code", "code"), ("Observation-value-quantity", "value.ofType(Quantity)"))  # fmt: skip
    registry = Registry([
        own("status2", "token", "status"),
        own("codes", "token", "(Observation.code | Observation.component.code).coding.where(system.exists())"),
        both,
    ])  # fmt: skip
    found = extract(OBSERVATION, registry)
    assert ("status2", "", "final") in found.tokens and registry.of("Observation")["status2"].union == ()
    assert {code for name, _, code in found.tokens if name == "codes"} == {"85354-9", "8480-6", "8462-4"}
    assert [part[0].tokens[0][2] for name, part in found.composites if name == "both"] == [
        "8480-6",
        "85354-9",
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"expression": ""}, {"expression": "Patient.(("}, {"base": ["Person", "Cat"]}, {"type": "special"}],
)
def test_a_search_parameter_that_cannot_be_used_is_refused(wrong: Json) -> None:
    own = {
        "url": "http://o/x",
        "code": "x",
        "type": "token",
        "base": ["Patient"],
        "expression": "Patient.active",
    }
    with pytest.raises(ValueError, match="http://o/x"):
        Registry([own | wrong])


def test_unions_and_roots_are_facts_of_the_registry() -> None:
    of = REGISTRY.of("Observation")
    assert of["combo-code"].names == ("code", "component-code")
    assert of["code-value-quantity"].root
    assert [each.name for each in of["combo-code-value-quantity"].union] == [
        "code-value-quantity", "component-code-value-quantity",
    ]  # fmt: skip
    assert REGISTRY.of("Patient")["phonetic"].names == ("name",)


PATIENTS = [
    ({"resourceType": "Patient", "id": "1"}, "Patient/1"),
    ({"resourceType": "Observation", "subject": {"reference": "Patient/1"}, "performer": [{"reference": "Patient/2"}]},
     "Patient/1"),
    ({"resourceType": "Observation", "performer": [{"reference": "Patient/2"}]}, "Patient/2"),
    ({"resourceType": "Group", "member": [{"entity": {"reference": f"Patient/{n}"}} for n in "12"]}, None),
    ({"resourceType": "Coverage", "subscriber": {"reference": "Patient/3"}, "beneficiary": {"reference": "Patient/4"}},
     "Patient/4"),
    ({"resourceType": "Appointment", "participant": [{"actor": {"reference": "Patient/5"}}]}, "Patient/5"),
    ({"resourceType": "Medication"}, None),
    ({"resourceType": "Task", "for": {"reference": "Patient/6"}}, "Patient/6"),
    ({"resourceType": "Task", "for": {"reference": "Group/6"}}, None),
    ({"resourceType": "Device", "patient": {"reference": "Patient/7"}}, "Patient/7"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "wanted"), PATIENTS)
def test_a_resource_is_about_one_patient_or_none(resource: Json, wanted: str | None) -> None:
    assert compartment.patient_of(resource) == wanted


def test_more_groups_than_the_store_can_number_are_refused() -> None:
    """https://hl7.org/fhir/R4/search.html#composite"""
    part = {"code": {"coding": [{"code": "a"}]}, "valueQuantity": {"value": 1}}
    resource = {"resourceType": "Observation", "component": [part] * (LIMITS.composites + 1)}
    with pytest.raises(Problem) as refused:
        extract(resource, REGISTRY)
    assert refused.value.status == 413


def test_compartments_are_those_of_the_specification() -> None:
    assert compartment.parameters("Patient", "Observation") == ("subject", "performer")
    assert compartment.patients_of(PATIENTS[1][0]) == {"Patient/1", "Patient/2"}
    assert compartment.patients_of(PATIENTS[0][0]) == {"Patient/1"}
    assert compartment.patients_of({"resourceType": "Task", "for": {"reference": "Patient/6"}}) == frozenset()
    here = {"resourceType": "Observation", "subject": {"reference": "https://here.example/fhir/Patient/1"}}
    assert (
        compartment.patient_of(here, REGISTRY.bases) == "Patient/1" and compartment.patient_of(here) is None
    )
    for inside in compartment.compartments().values():
        assert all(name in REGISTRY.of(type) for type, names in inside.items() for name in names)
    assert set(compartment.compartments()) == {
        "Patient",
        "Encounter",
        "Practitioner",
        "RelatedPerson",
        "Device",
    }

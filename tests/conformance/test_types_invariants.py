"""$validate's rules: invariants, required bindings, and an honest word where a rule could not be asked."""

import lzma
from pathlib import Path
from typing import Any

import pytest

from commonweal.fhir import codec
from commonweal.fhir.elements import model_lines
from commonweal.fhir.fhirpath import compile
from commonweal.fhir.invariants import invariants
from commonweal.fhir.validate import validate

Json = dict[str, Any]
TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'}


def patient(**elements: Any) -> Json:
    return {"resourceType": "Patient", "text": TEXT} | elements


def observation(**elements: Any) -> Json:
    said = {"resourceType": "Observation", "text": TEXT, "status": "final", "code": {"text": "a"}}
    return said | elements


def test_every_invariant_is_a_fhirpath() -> None:
    rules = [rule for path in model_lines("invariants.jsonl") for rule in invariants(path)]
    assert len(rules) > 200
    for rule in rules:
        compile(rule.expression)


def test_a_type_has_the_invariants_of_what_it_specialises() -> None:
    assert {"dom-2", "dom-3"} <= {rule.key for rule in invariants("Patient")}
    assert "qty-3" in {rule.key for rule in invariants("Age")}
    assert [rule.key for rule in invariants("Patient.contact")] == ["pat-1"]


BROKEN = [
    (patient(contact=[{"gender": "male"}]), "pat-1", "Patient.contact[0]"),
    (patient(name=[{"period": {"start": "2021", "end": "2020"}}]), "per-1", "Patient.name[0].period"),
    (patient(extension=[{"url": "http://example.org"}]), "ext-1", "Patient.extension[0]"),
    (patient(managingOrganization={"reference": "#a"}), "ref-1", "Patient.managingOrganization"),
    (observation(valueQuantity={"code": "a"}), "qty-3", "Observation.value.ofType(Quantity)"),
    (observation(dataAbsentReason={"text": "a"}, valueString="b"), "obs-6", "Observation"),
    (observation(referenceRange=[{"age": {"low": {"value": 1}}}]), "obs-3", "Observation.referenceRange[0]"),
    (patient(contained=[{"resourceType": "Patient", "id": "a", "text": TEXT}]), "dom-3", "Patient"),
]


@pytest.mark.parametrize(("resource", "key", "place"), BROKEN)
def test_a_broken_invariant_is_told_with_its_place(resource: Json, key: str, place: str) -> None:
    errors = [issue for issue in validate(resource) if issue.severity == "error"]
    assert [(issue.diagnostics.partition(":")[0], issue.expression) for issue in errors] == [(key, place)]


@pytest.mark.parametrize(
    "resource",
    [
        patient(name=[{"period": {"start": "2020", "end": "2021"}}], contact=[{"name": {"text": "a"}}]),
        patient(managingOrganization={"display": "a"}),
        observation(valueQuantity={"code": "a", "system": "http://unitsofmeasure.org"}),
        patient(
            managingOrganization={"reference": "#a"},
            contained=[{"resourceType": "Organization", "id": "a", "name": "b"}],
        ),
    ],
)
def test_what_keeps_the_rules_has_no_error(resource: Json) -> None:
    assert [issue for issue in validate(resource) if issue.severity == "error"] == []


def test_missing_narrative_is_a_warning_only() -> None:
    found = validate({"resourceType": "Patient"})
    assert [(issue.severity, issue.diagnostics[:5]) for issue in found] == [("warning", "dom-6")]


def test_required_bindings_of_concepts_are_judged() -> None:
    condition = {"resourceType": "Condition", "text": TEXT, "subject": {"display": "a"}}
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    right = condition | {"clinicalStatus": {"coding": [{"system": system, "code": "active"}]}}
    wrong = condition | {"clinicalStatus": {"coding": [{"system": "http://example.org", "code": "active"}]}}
    assert [issue.details for issue in validate(right) if issue.severity == "error"] == []
    found = [(issue.details, issue.expression) for issue in validate(wrong) if issue.severity == "error"]
    assert found == [("cw-unknown-code", "Condition.clinicalStatus")]


def test_resources_inside_are_judged_and_warnings_hide_no_error() -> None:
    entries = [{"resource": {"resourceType": "Patient"}}] * 300
    bad = {"resource": patient(contact=[{"gender": "male"}])}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [*entries, bad]}
    places = [issue.expression for issue in validate(bundle) if issue.severity == "error"]
    assert places == ["Bundle.entry[300].resource.contact[0]"]


def test_a_malformed_resource_is_told_its_structure_only() -> None:
    found = validate({"resourceType": "Patient", "contact": [{}], "x": 1})
    assert {issue.details for issue in found} == {"cw-empty", "cw-unknown-element"}


def test_official_examples_keep_the_rules(shared_data: Path) -> None:
    with lzma.open(shared_data / "hl7.fhir.uv.ips/hl7.fhir.uv.ips-2.0.0.ndjson.xz") as lines:
        for line in lines:
            resource = codec.parse(line)
            errors = [issue for issue in validate(resource) if issue.severity == "error"]
            assert not errors, resource.get("id")

"""Whether resources fit profiles, the International Patient Summary's too: https://hl7.org/fhir/R4/profiling.html."""

import copy
import lzma
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from commonweal.fhir import codec
from commonweal.fhir.official import official
from commonweal.fhir.outcome import Issue
from commonweal.fhir.profiles import Trees, fits
from commonweal.fhir.validate import fitting

Json = dict[str, Any]
URL = "http://example.org/StructureDefinition/"
CORE = "http://hl7.org/fhir/StructureDefinition/"
COLOURS = "http://example.org/colours"
IPS = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
TREES = Trees()


@cache
def ips(folder: Path) -> dict[tuple[str, str], Json]:
    """The definitions by type and address, the examples by type and id."""
    with lzma.open(folder / "hl7.fhir.uv.ips" / "hl7.fhir.uv.ips-2.0.0.ndjson.xz") as lines:
        resources = [codec.parse(line) for line in lines]
    return {(each["resourceType"], each.get("url") or each["id"]): each for each in resources}


def judged(resource: Json, folder: Path, profile: str = "") -> list[Issue]:
    def lookup(type: str, canonical: str) -> Json | None:
        return ips(folder).get((type, canonical.partition("|")[0])) or official(type, canonical)

    return fits(resource, profile or resource["meta"]["profile"][0], lookup, TREES)


def test_the_examples_of_the_patient_summary_fit(shared_data: Path) -> None:
    examples = [each for each in ips(shared_data).values() if each.get("meta", {}).get("profile")]
    examples = [each for each in examples if each["meta"]["profile"][0].startswith(IPS)]
    assert len(examples) > 40
    for each in examples:
        errors = [found for found in judged(each, shared_data) if found.severity == "error"]
        assert not errors, (each["id"], errors)


Change = Callable[[Json], object]


def _set(*path: Any, value: Any) -> Change:
    def change(resource: Any) -> None:
        for step in path[:-1]:
            resource = resource[step]
        resource[path[-1]] = value

    return change


def _drop(*path: Any) -> Change:
    def change(resource: Any) -> None:
        for step in path[:-1]:
            resource = resource[step]
        del resource[path[-1]]

    return change


CLAIMING = {"resourceType": "Patient", "meta": {"profile": [f"{IPS}Patient-uv-ips"]}}
PROBLEMS = {"system": "http://loinc.org", "code": "11450-4"}


@pytest.mark.parametrize(
    "type, id, change, path, why",
    [
        ("Patient", "66033", _drop("name"), "Patient.name", "at least 1 name, not 0"),
        ("Patient", "66033", _drop("birthDate"), "Patient.birthDate", "at least 1 birthDate"),
        ("Patient", "66033", _set("name", value=[{"use": "usual"}]), "Patient.name[0]", "ips-pat-1"),
        ("Condition", "eumfh-39-07-1", _drop("code"), "Condition.code", "at least 1 code"),
        (
            "Condition",
            "eumfh-39-07-1",
            _set("subject", value={"reference": "Group/1"}),
            "Condition.subject",
            "it refers to a Group, not to a Patient",
        ),
        (
            "Observation",
            "pregnancy-edd-example",
            _set("code", "coding", 0, "code", value="1-1"),
            "Observation.code",
            "1-1 is not a code of",
        ),
        (
            "Observation",
            "pregnancy-edd-example",
            lambda r: (r.pop("effectiveDateTime"), r.update(effectiveInstant="2020-01-01T00:00:00Z")),
            "Observation.effective.ofType(instant)",
            "it is a instant, not a",
        ),
        (
            "Observation",
            "hemoglobin",
            _set("status", value="entered-in-error"),
            "Observation.status",
            "entered-in-error is not a code of",
        ),
        (
            "Observation",
            "hemoglobin",
            lambda r: r.pop("valueQuantity"),
            "Observation",
            "ips-2",
        ),
        (
            "Composition",
            "composition-minimal",
            _set("type", "coding", 0, "code", value="34133-9"),
            "Composition.type",
            "it must contain",
        ),
        (
            "Composition",
            "composition-minimal",
            lambda r: r.update(section=[s for s in r["section"] if PROBLEMS["code"] not in str(s["code"])]),
            "Composition.section",
            "at least 1 section:sectionProblems, not 0",
        ),
        (
            "Composition",
            "composition-minimal",
            lambda r: r["section"].append(copy.deepcopy(r["section"][0])),
            "Composition.section",
            "at most 1 section:section",
        ),
        ("Bundle", "bundle-minimal", _set("type", value="collection"), "Bundle.type", "it must be document"),
        (
            "Bundle",
            "bundle-minimal",
            _set("entry", 1, "resource", value=CLAIMING),
            "Bundle.entry[1].resource.name",
            "at least 1 name",
        ),
        (
            "Bundle",
            "bundle-minimal",
            _drop("entry", 1),
            "Bundle.entry",
            "at least 1 entry:patient, not 0",
        ),
        (
            "Bundle",
            "bundle-minimal",
            _set("entry", 1, "request", value={"method": "GET", "url": "x"}),
            "Bundle.entry[1].request",
            "at most 0 request, not 1",
        ),
    ],
)
def test_what_is_changed_is_found_at_its_place(
    shared_data: Path, type: str, id: str, change: Change, path: str, why: str
) -> None:
    resource = copy.deepcopy(ips(shared_data)[type, id])
    change(resource)
    errors = [each for each in judged(resource, shared_data) if each.severity == "error"]
    assert any(each.expression == path and why in each.diagnostics for each in errors), errors


def profile(type: str, *elements: Json, **words: Any) -> Json:
    differential = {"element": [{"path": each["id"].split(":")[0], **each} for each in elements]}
    core = f"{CORE}{type}"
    base: Json = {
        "resourceType": "StructureDefinition",
        "url": URL + "own",
        "type": type,
        "baseDefinition": core,
    }
    return base | {"differential": differential} | words


def said(resource: Json, definition: Json, *others: Json, trees: Trees | None = None) -> list[str]:
    """Every issue as "severity path: …"."""
    known = {(each["resourceType"], each["url"]): each for each in (definition, *others)}

    def lookup(type: str, canonical: str) -> Json | None:
        return known.get((type, canonical)) or official(type, canonical)

    found = fits(resource, definition["url"], lookup, trees)
    return [f"{each.severity} {each.expression}: {each.diagnostics}" for each in found]


def sliced(how: str, path: str, rules: str = "open") -> Json:
    return {"slicing": {"discriminator": [{"type": how, "path": path}], "rules": rules}}


def to(type: str) -> list[Json]:
    return [{"code": "Reference", "targetProfile": [f"{CORE}{type}"]}]


def extension(name: str) -> list[Json]:
    return [{"code": "Extension", "profile": [URL + name]}]


PATIENT: Json = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "22"}],
    "_birthDate": {"extension": [{"url": URL + "time", "valueString": "x"}]},
    "extension": [{"url": URL + "known", "valueCode": "red"}],
    "maritalStatus": {"coding": [{"system": COLOURS, "code": "red"}], "text": "Red"},
    "generalPractitioner": [{"reference": "Organization/1"}, {"reference": "#c"}],
    "contained": [{"resourceType": "Practitioner", "id": "c", "name": [{"text": "C"}]}],
    "deceasedDateTime": "2020",
    "multipleBirthInteger": 2,
}
VALUE_SET: Json = {
    "resourceType": "ValueSet",
    "url": URL + "vs",
    "compose": {"include": [{"system": COLOURS, "concept": [{"code": "blue"}]}]},
}
FAR = VALUE_SET | {"url": URL + "far", "compose": {"include": [{"system": "http://snomed.info/sct"}]}}
RULE = {"key": "x-1", "severity": "warning", "human": "Name it", "expression": "name.exists()"}
A_SLICE = {"id": "Patient.identifier:a", "sliceName": "a"}
SYSTEM = {"id": "Patient.identifier:a.system", "fixedUri": "urn:a"}


@pytest.mark.parametrize(
    "elements, why",
    [
        (
            [{"id": "Patient.identifier", "max": "1"}],
            "error Patient.identifier: {} at most 1 identifier, not 2",
        ),
        ([{"id": "Patient.gender", "min": 1}], "error Patient.gender: {} at least 1 gender, not 0"),
        ([{"id": "Patient.birthDate", "min": 1}], ""),
        ([{"id": "Patient.birthDate", "max": "0"}], "error Patient.birthDate: {} at most 0 birthDate"),
        ([{"id": "Patient.contact.name", "min": 1}], ""),
        ([{"id": "Patient.multipleBirth[x]", "fixedInteger": 2}], ""),
        (
            [{"id": "Patient.multipleBirth[x]", "fixedInteger": 3}],
            "error Patient.multipleBirth.ofType(integer): {} it must be 3",
        ),
        (
            [{"id": "Patient.deceased[x]", "type": [{"code": "boolean"}]}],
            "error Patient.deceased.ofType(dateTime): {} it is a dateTime, not a boolean",
        ),
        ([{"id": "Patient.deceasedDateTime", "max": "0"}], "error Patient.deceasedDateTime: {} at most 0"),
        ([{"id": "Patient.maritalStatus", "patternCodeableConcept": {"text": "Red"}}], ""),
        (
            [{"id": "Patient.maritalStatus", "fixedCodeableConcept": {"text": "Red"}}],
            "error Patient.maritalStatus: {} it must be",
        ),
        (
            [{"id": "Patient.maritalStatus", "patternCodeableConcept": {"coding": [{"code": "blue"}]}}],
            "error Patient.maritalStatus: {} it must contain",
        ),
        (
            [{"id": "Patient.identifier.value", "maxLength": 1}],
            "error Patient.identifier[1].value: {} not be longer",
        ),
        (
            [{"id": "Patient.maritalStatus", "binding": {"strength": "required", "valueSet": URL + "vs"}}],
            "error Patient.maritalStatus: red is not a code of",
        ),
        (
            [{"id": "Patient.maritalStatus", "binding": {"strength": "extensible", "valueSet": URL + "vs"}}],
            "warning Patient.maritalStatus: red is not a code of",
        ),
        ([{"id": "Patient.maritalStatus", "binding": {"strength": "preferred", "valueSet": URL + "vs"}}], ""),
        (
            [{"id": "Patient.maritalStatus", "binding": {"strength": "required", "valueSet": URL + "far"}}],
            "error Patient.maritalStatus: red is not a code of",
        ),
        (
            [{"id": "Patient.maritalStatus", "binding": {"strength": "required", "valueSet": URL + "none"}}],
            "information Patient.maritalStatus: The codes of",
        ),
        (
            [{"id": "Patient", "constraint": [RULE]}],
            "warning Patient: x-1: Name it",
        ),
        ([sliced("value", "system") | {"id": "Patient.identifier"}, A_SLICE | {"max": "1"}, SYSTEM], ""),
        (
            [sliced("value", "system") | {"id": "Patient.identifier"}, A_SLICE | {"min": 2}, SYSTEM],
            "error Patient.identifier: {} at least 2 identifier:a, not 1",
        ),
        (
            [sliced("value", "system", "closed") | {"id": "Patient.identifier"}, A_SLICE, SYSTEM],
            "error Patient.identifier[1]: {} it is none of a",
        ),
        (
            [
                sliced("value", "system") | {"id": "Patient.identifier"},
                A_SLICE,
                SYSTEM,
                {"id": "Patient.identifier:a.value", "patternString": "2"},
            ],
            "error Patient.identifier[0].value: {} it must contain 2",
        ),
        (
            [
                sliced("pattern", "$this") | {"id": "Patient.identifier"},
                A_SLICE | {"min": 1, "patternIdentifier": {"system": "urn:c"}},
            ],
            "error Patient.identifier: {} at least 1 identifier:a, not 0",
        ),
        (
            [
                sliced("exists", "use") | {"id": "Patient.identifier"},
                A_SLICE | {"max": "0"},
                {"id": "Patient.identifier:a.use", "max": "0"},
            ],
            "error Patient.identifier: {} at most 0 identifier:a, not 2",
        ),
        (
            [
                sliced("type", "resolve()") | {"id": "Patient.generalPractitioner"},
                {"id": "Patient.generalPractitioner:o", "min": 2, "type": to("Organization")},
            ],
            "error Patient.generalPractitioner: {} at least 2 generalPractitioner:o, not 1",
        ),
        (
            [
                sliced("profile", "resolve()") | {"id": "Patient.generalPractitioner"},
                {"id": "Patient.generalPractitioner:o", "min": 2, "type": to("Organization")},
            ],
            "information Patient.generalPractitioner[0]: What belongs to generalPractitioner:o could not be told",
        ),
        ([{"id": "Patient.extension:k", "sliceName": "k", "min": 1, "type": extension("known")}], ""),
        (
            [{"id": "Patient.extension:k", "sliceName": "k", "min": 1, "type": extension("unknown")}],
            "error Patient.extension: {} at least 1 extension:k, not 0",
        ),
        (
            [
                {
                    "id": "Patient.birthDate.extension:t",
                    "sliceName": "t",
                    "max": "0",
                    "type": extension("time"),
                }
            ],
            "error Patient.birthDate.extension: {} at most 0 extension:t, not 1",
        ),
        (
            [{"id": "Patient.deceased[x]:d", "sliceName": "d", "max": "0", "type": [{"code": "dateTime"}]}],
            "error Patient.deceased: {} at most 0 deceased[x]:d",
        ),
        (
            [{"id": "Patient.generalPractitioner", "type": to("Practitioner")}],
            "error Patient.generalPractitioner[0]: {} it refers to a Organization, not to a Practitioner",
        ),
    ],
)
def test_each_rule_of_a_profile(elements: list[Json], why: str) -> None:
    """https://hl7.org/fhir/R4/elementdefinition.html"""
    known = profile("Extension", {"id": "Extension.value[x]", "min": 1}, url=URL + "known")
    found = said(PATIENT, profile("Patient", *elements), VALUE_SET, FAR, known)
    start, _, end = why.partition("{}")
    assert len(found) == (1 if why else 0), found
    assert not why or (found[0].startswith(start.strip()) and end.strip() in found[0]), found


def test_a_profile_of_another_type() -> None:
    assert said({"resourceType": "Basic"}, profile("Patient")) == [
        f"error Basic: The resource does not fit the profile {URL}own: it is a Basic, not a Patient."
    ]


def test_a_profile_builds_on_another() -> None:
    below = profile(
        "Patient", {"id": "Patient.name", "min": 1}, {"id": "Patient.gender", "min": 1}, url=URL + "below"
    )
    own = profile("Patient", {"id": "Patient.name", "min": 2}, baseDefinition=URL + "below")
    found = said(PATIENT | {"name": [{"text": "x"}]}, own, below)
    assert [each.partition(":")[0] for each in found] == ["error Patient.name", "error Patient.gender"]
    circular = profile(
        "Patient", {"id": "Patient.name", "min": 1}, url=URL + "below", baseDefinition=URL + "own"
    )
    assert len(said(PATIENT, own, circular)) == 1


def test_resources_that_refer_to_each_other_come_to_an_end() -> None:
    target = {"id": "Patient.link.other:p", "sliceName": "p", "min": 1}
    target["type"] = [{"code": "Reference", "targetProfile": [URL + "own"]}]
    own = profile("Patient", sliced("profile", "resolve()") | {"id": "Patient.link.other"}, target)
    pair = [
        {
            "fullUrl": f"urn:{a}",
            "resource": {"resourceType": "Patient", "link": [{"other": {"reference": f"urn:{b}"}}]},
        }
        for a, b in ("xy", "yx")
    ]
    holder = profile(
        "Bundle", {"id": "Bundle.entry.resource", "type": [{"code": "Patient", "profile": [URL + "own"]}]}
    )
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": pair}
    assert said(bundle, holder | {"url": URL + "holder"}, own) == []


def test_vital_signs_are_known() -> None:
    """https://hl7.org/fhir/R4/observation-vitalsigns.html"""
    url = f"{CORE}bodyweight"
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    weight: Json = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2020-03-05",
        "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }
    assert not [each for each in fits(weight, url, official) if each.severity == "error"]
    stone = weight | {"valueQuantity": weight["valueQuantity"] | {"code": "[stone_av]"}}
    found = {each.expression for each in fits(stone, url, official) if each.severity == "error"}
    assert found == {"Observation.value.ofType(Quantity).code"} or found == {
        "Observation.value.ofType(Quantity)"
    }
    del weight["subject"]
    found = {each.expression for each in fits(weight, url, official) if each.severity == "error"}
    assert found == {"Observation.subject"}


def test_structure_comes_before_profiles() -> None:
    broken = {"resourceType": "Patient", "name": "x"}
    found = fitting(broken, [URL + "own"], lambda type, canonical: None)
    assert [each.details for each in found] == ["cw-wrong-type"]
    found = fitting({"resourceType": "Patient"}, [URL + "own"], lambda type, canonical: None)
    assert [(each.severity, each.details) for each in found if each.details != "cw-invariant"] == [
        ("information", "cw-profile-not-checked")
    ]

"""Official and real resources are accepted, and come back exactly as they were."""

import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.structure import issues_of
from commonweal.fhir.walk import walk

OFFICIAL = [
    "fhir-r4-definitions/conceptmaps",
    "fhir-r4-definitions/expansions",
    "fhir-r4-definitions/extension-definitions",
    "fhir-r4-definitions/profiles-others",
    "fhir-r4-definitions/profiles-resources",
    "fhir-r4-definitions/profiles-types",
    "fhir-r4-definitions/search-parameters",
    "fhir-r4-definitions/v2-tables",
    "fhir-r4-definitions/v3-codesystems",
    "fhir-r4-definitions/valuesets",
    "hl7.fhir.uv.ips/hl7.fhir.uv.ips-2.0.0",
    "hl7.fhir.uv.sdc/hl7.fhir.uv.sdc-4.0.0-ballot",
]
DEFECTIVE = {
    # of R4B, which the file holds beside R4: 4.3.0 is no version that R4 knows
    "StructureDefinition/SubscriptionStatus": "StructureDefinition.fhirVersion",
}
NOT_FOR_STORING = {
    # cases of an engine that does not look at structure; what each lacks or breaks
    "explanationofbenefit-example.json": "ExplanationOfBenefit.status",
    "medicationrequest-example.json": "MedicationRequest.status",
    "observation-example-2.json": "Observation.status",
    "observation-quantity-year-ucum.json": "Observation.status",
    "parameters-example-types.json": "Parameters.parameter[2].value.ofType(uuid)",
    "patient-example-2.json": "Patient._address",
    "quantity-example.json": "QuestionnaireResponse.item[0].answer",
    "questionnaire-part-example.json": "resourceType",
    "structure-definition-example.json": "StructureDefinition.url",
}


def lines(path: Path) -> Iterator[bytes]:
    with lzma.open(path) as text:
        yield from map(bytes.strip, text)


def same(one: bytes, other: bytes) -> bool:
    """JSON equality with numbers compared as text, so that 1.0 is not 1.00."""
    return bool(json.loads(one, parse_float=str) == json.loads(other, parse_float=str))


def faults(body: bytes) -> list[str | None]:
    try:
        codec.check(body)
    except Problem as problem:
        return [issue.expression for issue in problem.issues]
    return []


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_resources_are_accepted_and_come_back_exactly(shared_data: Path, name: str) -> None:
    count = 0
    for body in lines(shared_data / f"{name}.ndjson.xz"):
        told = codec.parse(body)
        place = f"{told['resourceType']}/{told.get('id')}"
        assert faults(body) == [DEFECTIVE[place]] if place in DEFECTIVE else not faults(body), place
        assert same(body, codec.encode(told)), place
        count += 1
    assert count > 10


@pytest.mark.parametrize("name", ["profiles-types", "search-parameters", "extension-definitions"])
def test_the_typed_view_gives_back_what_it_was_made_of(shared_data: Path, name: str) -> None:
    for body in lines(shared_data / f"fhir-r4-definitions/{name}.ndjson.xz"):
        kind = codec.parse(body)["resourceType"]
        assert same(body, codec.encode(codec.decode(kind, body)))


def test_the_walk_agrees_that_official_resources_are_well_formed(shared_data: Path) -> None:
    for body in lines(shared_data / "hl7.fhir.uv.ips/hl7.fhir.uv.ips-2.0.0.ndjson.xz"):
        resource = codec.parse(body)
        assert not walk(resource, resource["resourceType"])
        assert not issues_of(resource)


def test_real_bundles_are_accepted_and_come_back_exactly(shared_data: Path) -> None:
    entries = 0
    with tarfile.open(shared_data / "synthea-r4/synthea-40-patients.tar.xz") as bundles:
        for member in bundles:
            text = bundles.extractfile(member)
            if text and member.name.endswith(".json"):
                body = text.read()
                bundle = codec.check(body, "Bundle")
                entries += len(bundle["entry"])
                assert same(body, codec.encode(bundle)), member.name
    assert entries > 5000


def test_the_examples_of_fhirpath_are_accepted_but_for_those_named(shared_data: Path) -> None:
    found = {
        path.name: faults(path.read_bytes()) for path in (shared_data / "fhirpath-cases").rglob("*.json")
    }
    assert len(found) > 20
    for name, places in found.items():
        if name in NOT_FOR_STORING:
            assert NOT_FOR_STORING[name] in places, name
        else:
            assert not places, name

"""Real records: the Synthea archive loaded, and posted as transactions, then found as they were sent."""

import json
import os
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal.fhir import codec
from tests.killed.platform_process import COMMAND, PlatformProcess

Json = dict[str, Any]


@pytest.fixture(scope="module")
def archive(shared_data: Path) -> Path:
    return shared_data / "synthea-r4" / "synthea-40-patients.tar.xz"


@pytest.fixture(scope="module")
def bundles(archive: Path) -> list[Json]:
    found = []
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None and member.name.endswith(".json"):
                found.append(json.load(content))
    assert len(found) == 40
    return found


@pytest.fixture(scope="module")
def expected(bundles: list[Json]) -> dict[str, Json]:
    """What must be there, by reference: of repeats the last, urls made references, meta left out."""
    names, texts = dict[str, str](), dict[str, str]()
    for bundle in bundles:
        for entry in bundle["entry"]:
            reference = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            names[entry["fullUrl"]] = reference
            texts[reference] = json.dumps({k: v for k, v in entry["resource"].items() if k != "meta"})
    return {reference: _resolved(text, names) for reference, text in texts.items()}


def _resolved(text: str, names: dict[str, str]) -> Json:
    for piece in set(text.split('"')):
        if piece in names:
            text = text.replace(f'"{piece}"', f'"{names[piece]}"')
    return codec.parse(text)


@pytest.fixture(scope="module")
def server(home: Path, archive: Path) -> Iterator[PlatformProcess]:
    """Loaded from the archive as it is, then served."""
    command = [*COMMAND, "load", "--data", str(home / "data"), str(archive)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    process = PlatformProcess(home / "data")
    yield process
    process.stop()


@pytest.fixture(scope="module")
def fhir(server: PlatformProcess) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/fhir+json"}
    with httpx.Client(base_url=server.base, headers=headers, timeout=120) as client:
        yield client


def total(fhir: httpx.Client, query: str) -> int:
    """How many match, exactly."""
    joint = "&" if "?" in query else "?"
    answer = fhir.get(f"/{query}{joint}_summary=count")
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["total"]
    return number


def test_counts_are_those_of_the_distinct_ids(fhir: httpx.Client, expected: dict[str, Json]) -> None:
    counts = Counter(reference.partition("/")[0] for reference in expected)
    assert {type: total(fhir, type) for type in counts} == counts


def test_every_resource_is_as_it_was_sent(fhir: httpx.Client, expected: dict[str, Json], home: Path) -> None:
    """Decimals and all: compared as parsed with exact numbers."""
    for reference, resource in expected.items():
        answer = fhir.get(f"/{reference}")
        assert answer.status_code == 200, reference
        kept = codec.parse(answer.content)
        kept.pop("meta")
        assert kept == resource, reference


def _text(resource: Json, name: str) -> str:
    value: str = resource[name]["reference"]
    return value


BY_PATIENT = {
    "Observation": ("subject", "code", "effectiveDateTime", "date"),
    "Condition": ("subject", "code", "onsetDateTime", "onset-date"),
    "Procedure": ("subject", "code", "performedPeriod", "date"),
    "Immunization": ("patient", "vaccineCode", "occurrenceDateTime", "date"),
    "MedicationRequest": ("subject", "medicationCodeableConcept", "authoredOn", "authoredon"),
    "DiagnosticReport": ("subject", "code", "effectiveDateTime", "date"),
    "Encounter": ("subject", "type", "period", "date"),
    "AllergyIntolerance": ("patient", "code", "recordedDate", "date"),
    "CarePlan": ("subject", "category", "period", "date"),
    "Claim": ("patient", "", "created", "created"),
    "ExplanationOfBenefit": ("patient", "", "created", "created"),
    "ImagingStudy": ("subject", "", "started", "started"),
    "Goal": ("", "", "", ""),
}
"""Where a type says whom it is about, what it is and when, and the parameter of the time."""
CODES = {"Immunization": "vaccine-code", "Encounter": "type", "CarePlan": "category"}


def _queries(reference: str, resource: Json) -> Iterator[str]:
    """Searches by which a resource is usually found."""
    type = resource["resourceType"]
    about, what, when, date = BY_PATIENT.get(type, ("", "", "", ""))
    parts = []
    if about:
        parts.append(f"patient={resource[about]['reference']}")
        yield f"{type}?{parts[0]}"
    concept = resource.get(what) if what else None
    concept = concept[0] if isinstance(concept, list) else concept
    if concept:
        coding = concept["coding"][0]
        parts.append(f"{CODES.get(type, 'code')}={coding.get('system', '')}|{coding['code']}")
        yield f"{type}?{'&'.join(parts)}"
    if when and when in resource:
        value = resource[when]
        start = value["start"] if isinstance(value, dict) else value
        yield f"{type}?{'&'.join(parts)}&{date}=ge{start[:10]}&{date}=le{start[:10]}T23:59:59.999-12:00"


def _found(fhir: httpx.Client, query: str) -> set[str]:
    """References of all that match, page after page."""
    url, found = f"/{query}&_count=500&_elements=id".replace("+", "%2B"), set()
    while url:
        answer = fhir.get(url)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        found |= {f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in bundle.get("entry", ())}
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    return found


def test_everything_is_found_by_its_usual_parameters(fhir: httpx.Client, expected: dict[str, Json]) -> None:
    answers: dict[str, set[str]] = {}
    seen: Counter[str] = Counter()
    for reference, resource in expected.items():
        type = resource["resourceType"]
        seen[type] += 1
        if seen[type] > 60:
            continue
        for query in _queries(reference, resource):
            if query not in answers:
                answers[query] = _found(fhir, query)
            assert reference in answers[query], f"{reference} is not among {query}"
    assert len(answers) > 500


def test_patients_by_name_identifier_and_birth_date(fhir: httpx.Client, expected: dict[str, Json]) -> None:
    for reference, patient in expected.items():
        if patient["resourceType"] != "Patient":
            continue
        name, identifier = patient["name"][0], patient["identifier"][0]
        for query in (
            f"family={name['family'].upper()}",
            f"given={name['given'][0][:4]}&birthdate={patient['birthDate']}",
            f"identifier={identifier['system']}|{identifier['value']}",
            f"name={name['family']}&gender={patient['gender']}",
        ):
            assert reference in _found(fhir, f"Patient?{query}"), query


def test_a_patients_compartment_is_complete(fhir: httpx.Client, expected: dict[str, Json]) -> None:
    about: Counter[str] = Counter()
    for resource in expected.values():
        if resource["resourceType"] in BY_PATIENT and resource["resourceType"] != "Goal":
            about[_text(resource, BY_PATIENT[resource["resourceType"]][0])] += 1
    patient, number = about.most_common(1)[0]
    types = ",".join(type for type in BY_PATIENT if type != "Goal")
    assert len(_found(fhir, f"{patient}/*?_type={types}")) == number


def test_posted_as_transactions_they_get_ids_of_ours(
    home: Path, bundles: list[Json], expected: dict[str, Json]
) -> None:
    """Every entry is a create: equal counts, and nothing keeps the id it came with."""
    sent = Counter(entry["resource"]["resourceType"] for bundle in bundles for entry in bundle["entry"])
    process = PlatformProcess(home / "posted")
    try:
        headers = {"Authorization": f"Bearer {process.token()}", "Content-Type": "application/fhir+json"}
        with httpx.Client(base_url=process.base, headers=headers, timeout=300) as client:
            for bundle in bundles:
                answer = client.post("", json=bundle)
                assert answer.status_code == 200, answer.text[:500]
                statuses = Counter(each["response"]["status"] for each in answer.json()["entry"])
                assert statuses == {"201 Created": len(bundle["entry"])}
                places = [each["response"]["location"].split("/fhir/")[-1] for each in answer.json()["entry"]]
                assert not {place.partition("/_history")[0] for place in places} & expected.keys()
            assert {type: total(client, type) for type in sent} == sent
        assert "NOT" not in process.check()
    finally:
        process.stop()

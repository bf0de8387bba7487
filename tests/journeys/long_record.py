"""The record of one fictional patient with nearly a thousand entries: ten years of visits for chronic disease."""

from collections.abc import Iterator
from random import Random
from typing import Any

Json = dict[str, Any]
ID = "ouyang-xiuying"
SUBJECT = {"reference": f"Patient/{ID}"}
VISITS = 80
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
TESTS = (
    ("4548-4", "Hemoglobin A1c", "%", 4, 6, 5.2, 9.5),
    ("2339-0", "Glucose", "mg/dL", 70, 110, 60, 260),
    ("2160-0", "Creatinine", "mg/dL", 0.6, 1.2, 0.6, 2.2),
    ("6690-2", "Leukocytes", "10*3/uL", 4.5, 11, 3, 15),
    ("718-7", "Hemoglobin", "g/dL", 12, 15.5, 9, 16),
    ("777-3", "Platelets", "10*3/uL", 150, 450, 90, 500),
    ("2823-3", "Potassium", "mmol/L", 3.5, 5.1, 2.9, 6.1),
    ("2951-2", "Sodium", "mmol/L", 136, 145, 128, 150),
)
"""LOINC, name, unit, the reference range, and between what the values lie."""


def resources() -> Iterator[Json]:
    """All of them; the same at every run."""
    dice = Random(4)
    yield {
        "resourceType": "Patient", "id": ID, "active": True, "gender": "female", "birthDate": "1948-02-11",
        "name": [{"use": "official", "family": "欧阳", "given": ["秀英"]}, {"use": "usual", "text": "Ouyang Xiuying"}],
        "identifier": [{"type": {"text": "Medical record number"}, "system": "urn:example:mrn", "value": "MRN-000731"}],
        "telecom": [{"system": "phone", "value": "555-0177"}],
        "address": [{"line": ["12 Reservoir Road"], "city": "Qinghe", "country": "CN"}],
    }  # fmt: skip
    yield {
        "resourceType": "Patient", "id": "hostile", "name": [{"text": "<script>alert(1)</script> \"quoted\" & 'so'"}],
        "telecom": [{"system": "url", "value": "javascript:alert(1)"}],
    }  # fmt: skip
    for number in range(25):
        yield {
            "resourceType": "Patient",
            "id": f"many-{number}",
            "name": [{"text": f"Many {number:02d} 多人"}],
        }
    yield from _standing()
    for number in range(VISITS):
        yield from _visit(number, dice)


def _standing() -> Iterator[Json]:
    active = {"coding": [{"system": CLINICAL, "code": "active"}]}
    yield {
        "resourceType": "AllergyIntolerance", "id": "penicillin", "patient": SUBJECT, "criticality": "high",
        "clinicalStatus": {"coding": [{"system": ALLERGY, "code": "active"}]},
        "code": {"text": "Penicillin"}, "reaction": [{"manifestation": [{"text": "Anaphylaxis"}]}],
        "recordedDate": "1999-04-02",
    }  # fmt: skip
    for number, text in enumerate(("Type 2 diabetes mellitus", "Essential hypertension", "慢性阻塞性肺疾病")):
        yield {
            "resourceType": "Condition", "id": f"problem-{number}", "clinicalStatus": active, "code": {"text": text},
            "subject": SUBJECT, "onsetDateTime": f"201{number}-05",
        }  # fmt: skip
    for number, (text, dose) in enumerate(
        (
            ("Metformin 500 mg tablet", "1 tablet twice a day"),
            ("Amlodipine 5 mg tablet", "1 tablet each morning"),
        )
    ):
        yield {
            "resourceType": "MedicationRequest", "id": f"medicine-{number}", "status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": text}, "subject": SUBJECT, "authoredOn": f"2026-0{number + 3}-11",
            "dosageInstruction": [{"text": dose}],
        }  # fmt: skip


def _visit(number: int, dice: Random) -> Iterator[Json]:
    """Every other month or so, the newest first."""
    day = f"{2026 - number // 8}-{10 - number % 8:02d}-{dice.randint(1, 27):02d}"
    kind = dice.choice(("Diabetes review", "Follow-up visit", "Breathlessness", "Annual check"))
    yield {
        "resourceType": "Encounter", "id": f"visit-{number}", "status": "finished", "subject": SUBJECT,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"text": kind}], "period": {"start": f"{day}T09:10:00+08:00", "end": f"{day}T09:35:00+08:00"},
    }  # fmt: skip
    yield _pressure(number, day, dice)
    weight = {"value": round(dice.uniform(61, 74), 1), "unit": "kg"}
    yield (
        _observation(number, day, f"weight-{number}", "29463-7", "Body weight", valueQuantity=weight)
        | _vital()
    )
    results = []
    for code, name, unit, low, high, least, most in TESTS:
        id = f"test-{number}-{code}"
        value = {"value": round(dice.uniform(least, most), 1), "unit": unit}
        bounds = [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}]
        yield _observation(number, day, id, code, name, valueQuantity=value, referenceRange=bounds)
        results.append({"reference": f"Observation/{id}", "display": name})
    yield {
        "resourceType": "DiagnosticReport", "id": f"report-{number}", "status": "final", "subject": SUBJECT,
        "code": {"text": "Blood tests"}, "encounter": {"reference": f"Encounter/visit-{number}"},
        "effectiveDateTime": f"{day}T09:20:00+08:00", "result": results,
    }  # fmt: skip


def _pressure(number: int, day: str, dice: Random) -> Json:
    parts = (("8480-6", "Systolic", dice.randint(112, 178)), ("8462-4", "Diastolic", dice.randint(66, 104)))
    component = [
        {"code": _loinc(code, name), "valueQuantity": {"value": value, "unit": "mm[Hg]"}}
        for code, name, value in parts
    ]
    return (
        _observation(number, day, f"pressure-{number}", "85354-9", "Blood pressure", component=component)
        | _vital()
    )


def _observation(number: int, day: str, id: str, code: str, name: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation", "id": id, "status": "final", "code": _loinc(code, name), "subject": SUBJECT,
        "encounter": {"reference": f"Encounter/visit-{number}"}, "effectiveDateTime": f"{day}T09:20:00+08:00", **more,
    }  # fmt: skip


def _vital() -> Json:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {"category": [{"coding": [{"system": system, "code": "vital-signs"}]}]}


def _loinc(code: str, name: str) -> Json:
    return {"coding": [{"system": "http://loinc.org", "code": code, "display": name}], "text": name}

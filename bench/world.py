"""The data of the bench: patients and Observations made by a seeded generator, the same for every run."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

CODES = 300
DAYS = 3 * 365
FIRST_DAY = date(2023, 1, 1)
PER_PATIENT = 40
DOCTORS = 500
"""Each cares for as many of the patients."""


def doctor(number: int) -> str:
    return f"Practitioner/doctor-{number:04}"


@dataclass(frozen=True, slots=True)
class World:
    """So many Observations, forty a patient; codes are Zipf-like, dates uniform over three years. Requests are about
    anybody, or about the patients of one doctor."""

    observations: int
    doctor: int | None = None

    @property
    def patients(self) -> int:
        return max(1, self.observations // PER_PATIENT)

    def patient(self, chance: random.Random) -> str:
        if self.doctor is None:
            return f"p{chance.randrange(self.patients):07}"
        return f"p{self.doctor + DOCTORS * chance.randrange(max(1, self.patients // DOCTORS)):07}"

    def code(self, chance: random.Random) -> str:
        rank = min(CODES - 1, int(chance.paretovariate(0.9)) - 1)
        return f"{10000 + rank}-{rank % 10}"

    def day(self, chance: random.Random) -> str:
        return (FIRST_DAY + timedelta(days=chance.randrange(DAYS))).isoformat()

    def observation(self, chance: random.Random, patient: str | None = None) -> dict[str, Any]:
        """A vital sign of about 510 bytes as compact JSON."""
        code = self.code(chance)
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                            "code": "vital-signs",
                            "display": "Vital Signs",
                        }
                    ]
                }
            ],
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": "Measured value"}]},
            "subject": {"reference": f"Patient/{patient or self.patient(chance)}"},
            "effectiveDateTime": f"{self.day(chance)}T{chance.randrange(24):02}:{chance.randrange(60):02}:00+08:00",
            "valueQuantity": {
                "value": round(chance.uniform(1, 200), 1),
                "unit": "mm[Hg]",
                "system": "http://unitsofmeasure.org",
                "code": "mm[Hg]",
            },
        }

    def resources(self, seed: int = 1) -> Iterator[dict[str, Any]]:
        """Every patient, then every Observation."""
        chance = random.Random(seed)
        for number in range(self.patients):
            yield _patient(number, chance)
        for number in range(self.observations):
            body = self.observation(chance, f"p{number % self.patients:07}")
            yield {"resourceType": "Observation", "id": f"o{number:08}", **body}

    def write(self, path: Path) -> None:
        """All resources as NDJSON."""
        with path.open("w", encoding="utf-8") as file:
            for resource in self.resources():
                file.write(json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n")


FAMILIES = "王李张刘陈杨黄赵吴周"
GIVEN = ("伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "勇")


def _patient(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number:07}",
        "identifier": [{"system": "urn:bench", "value": f"p{number:07}"}],
        "generalPractitioner": [{"reference": doctor(number % DOCTORS)}],
        "name": [{"family": chance.choice(FAMILIES), "given": [chance.choice(GIVEN)]}],
        "gender": chance.choice(["female", "male"]),
        "birthDate": (date(1940, 1, 1) + timedelta(days=chance.randrange(29_000))).isoformat(),
    }

"""What happens by itself, when time passes."""

from typing import Any

from commonweal.boot.trial import Trial
from commonweal.fhir import codec


def _consent(until: str) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"text": "sharing"}],
        "patient": {"reference": "Patient/x"},
        "policyRule": {"text": "local law"},
        "provision": {"period": {"end": until}},
    }


async def test_a_consent_ends_with_its_period(trial: Trial) -> None:
    async with trial.work() as work:
        soon = await work.save(_consent("2026-01-06T00:00:00Z"))
        later = await work.save(_consent("2026-02-06T00:00:00Z"))
    await trial.pass_time(hours=2)
    assert await _status(trial, soon.id) == "active"
    await trial.pass_time(days=1)
    assert [await _status(trial, id) for id in (soon.id, later.id)] == ["inactive", "active"]


async def _status(trial: Trial, id: str) -> str:
    async with trial.work() as work:
        return str(codec.parse((await work.read("Consent", id)).body)["status"])

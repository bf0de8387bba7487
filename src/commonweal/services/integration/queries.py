"""What waits in integration, and for how long it may."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from commonweal.fhir import codec
from commonweal.platform import Work
from commonweal.services.integration.rules import TASK, given

Json = dict[str, Any]
PAGE = 100


async def waiting(work: Work, kind: str) -> Sequence[Json]:
    """What is open of a kind, the oldest first."""
    asked = f"Task?code={TASK}|{kind}&status=requested,accepted&_sort=authored-on&_count={PAGE}"
    return [codec.parse(each.body) for each in (await work.search(asked)).matches]


async def compared(work: Work, patient: str) -> bool:
    """Is somebody asked already whether this patient (id) is one with another?"""
    open_ones = await waiting(work, "match-review")
    return any(f"Patient/{patient}" in _compared(each) for each in open_ones)


def _compared(task: Json) -> list[str]:
    return [each.get("reference", "") for each in given(task, "patient")]


def deadline(work: Work, status: str) -> str:
    """Until when a duty that comes into a status now must leave it; an instant, as FHIR writes it."""
    limits = {"requested": "quarantine_accept_seconds", "accepted": "quarantine_resolve_seconds"}
    seconds = work.parameter(limits[status], work.now())
    return f"{work.now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"

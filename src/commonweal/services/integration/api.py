"""The operation by which any machine's input is set aside."""

from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform import Operation, Work
from commonweal.services.integration import actions

Json = dict[str, Any]


async def quarantine(work: Work, parameters: Json) -> Json:
    """place, reason, content? (texts) → the task, by reference."""
    place, reason = (_text(parameters, name) for name in ("place", "reason"))
    if place is None or reason is None:
        raise Problem.invalid(
            "place and reason say where a message came from and what is wrong", "Parameters"
        )
    stored = await actions.quarantine(work, place, reason, _text(parameters, "content"))
    task = {"name": "task", "valueReference": {"reference": stored.reference}}
    return {"resourceType": "Parameters", "parameter": [task]}


def _text(parameters: Json, name: str) -> str | None:
    found = (each.get("valueString") for each in parameters.get("parameter", ()) if each.get("name") == name)
    return next((value for value in found if value), None)


OPERATIONS = (
    Operation(
        "$quarantine",
        "quarantine.add",
        quarantine,
        "Set aside a message that could not be taken",
        beyond=True,
    ),
)

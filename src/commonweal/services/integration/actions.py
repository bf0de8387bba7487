"""What is done with messages that could not be taken, and with people who may be one."""

import base64
from typing import Any

from commonweal.fhir import codec
from commonweal.platform import Agent, Work
from commonweal.platform.ports import Stored
from commonweal.services.integration import queries
from commonweal.services.integration.rules import TASK
from commonweal.services.integration.workflow import MATCH, QUARANTINED

Json = dict[str, Any]


async def quarantine(work: Work, place: str, reason: str, content: str | None = None) -> Stored:
    """A message that could not be taken waits for somebody: where it came from, what is wrong, and the message
    itself unless it is too large to be kept here."""
    inputs = [_input("place", valueString=place)]
    if content is not None and len(content) <= work.parameter("quarantine_letters_most", work.now()):
        data = base64.b64encode(content.encode()).decode()
        inputs.append(_input("content", valueAttachment={"contentType": "text/plain", "data": data}))
    return await work.save(_duty(work, QUARANTINED.name, reason, inputs), because="a message was set aside")


async def review_match(work: Work, one: str, other: str, reason: str) -> Stored:
    """Somebody is to say whether two patients (ids) are one person."""
    inputs = [_input("patient", valueReference={"reference": f"Patient/{id}"}) for id in (one, other)]
    return await work.save(
        _duty(work, MATCH.name, reason, inputs), because="two records look like one person"
    )


async def accept(work: Work, id: str) -> Stored:
    """Whoever asks takes it on, and has a new deadline to close it."""
    task, version = await _task(work, id)
    more = {"status": "accepted", "owner": _named(work.agent), "restriction": _until(work, "accepted")}
    return await work.save(task | more, because="taken on", if_match=version)


async def complete(work: Work, id: str, outcome: str) -> Stored:
    """It is put right; `outcome` says how."""
    task, version = await _task(work, id)
    output = [*task.get("output", []), _input("outcome", valueString=outcome)]
    return await work.save(
        task | {"status": "completed", "output": output}, because=outcome, if_match=version
    )


async def reject(work: Work, id: str, why: str) -> Stored:
    """Nothing can be made of it; it is kept, and says why."""
    task, version = await _task(work, id)
    return await work.save(
        task | {"status": "rejected", "statusReason": {"text": why}}, because=why, if_match=version
    )


async def merge_match(work: Work, id: str, source: str, target: str, because: str) -> Stored:
    """They are one person: `source` goes into `target`, all in one transaction with the end of the duty."""
    said = {"source-patient": f"Patient/{source}", "target-patient": f"Patient/{target}", "reason": because}
    parameters = [{"name": name, "valueString": value} for name, value in said.items()]
    await work.operation("Patient/$merge", {"resourceType": "Parameters", "parameter": parameters})
    return await complete(work, id, because)


async def escalate(work: Work, id: str, priority: str, note: str) -> Stored | None:
    """It becomes more urgent, and says when and why; once, however often it is told. None: there is nothing to do."""
    task, version = await _task(work, id)
    notes = task.get("note", [])
    if any(each["text"] == note for each in notes):
        return None
    said = {"text": note, "time": f"{work.now():%Y-%m-%dT%H:%M:%SZ}"}
    return await work.save(
        task | {"priority": priority, "note": [*notes, said]}, because=note, if_match=version
    )


async def _task(work: Work, id: str) -> tuple[Json, int]:
    found = await work.read("Task", id)
    return codec.parse(found.body), found.version


def _duty(work: Work, kind: str, reason: str, inputs: list[Json]) -> Json:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": TASK, "code": kind}]},
        "authoredOn": f"{work.now():%Y-%m-%dT%H:%M:%SZ}",
        "owner": _named(work.agent),
        "reasonCode": {"text": reason},
        "restriction": _until(work, "requested"),
        "input": inputs,
    }


def _until(work: Work, status: str) -> Json:
    return {"period": {"end": queries.deadline(work, status)}}


def _input(name: str, **value: Any) -> Json:
    return {"type": {"coding": [{"system": TASK, "code": name}]}, **value}


def _named(agent: Agent) -> Json:
    """Who it is: a practitioner by reference, the platform itself and operators by name."""
    if agent.id.startswith("Practitioner/"):
        return {"reference": agent.id}
    return {"display": agent.name or agent.id}

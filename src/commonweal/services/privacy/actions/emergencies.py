"""Care that cannot wait for a relationship: a record opened in an emergency, and a person who arrives."""

from collections.abc import Awaitable, Callable
from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform import Work
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.actions.duties import admitted, duty, existing, moment, notice_to, said
from commonweal.services.privacy.rules import duties
from commonweal.services.privacy.rules.duties import REASON

Json = dict[str, Any]
Seek = Callable[[], Awaitable[Json | None]]
CLASSES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TOLD = (
    "Your record was opened in an emergency at %s (UTC). Who did so, and why, is written under “Who has looked at my "
    "record”; every such access is reviewed. 您的健康档案于 %s（协调世界时）因紧急情况被查阅，"
    "查阅人及理由见“谁看过我的档案”，每次紧急查阅均须复核。"
)


async def open_access(work: Work, seek: Seek, code: str, text: str) -> Stored:
    """The record of somebody is open to whoever asks, for a short while; they are told, and it will be reviewed.
    One that is open already ends with it. Nobody is looked for (`seek`) before the reason does: Problem 422."""
    reason = {"coding": [{"system": REASON, "code": code}], "text": text}
    letters = work.parameter("emergency_reason_letters_least", work.now())
    admitted(duties.may_be_asked({"reasonCode": reason}, letters), "Task.reasonCode")
    if not work.agent.id.startswith("Practitioner/"):
        raise Problem.forbidden(["an emergency access is a practitioner's own"])
    person = existing(await seek())
    patient = f"Patient/{person['id']}"
    earlier = await queries.emergencies(work, work.agent.id, patient, hold=True)
    admitted(duties.may_go_on(text, earlier), "Task.reasonCode")
    for each in earlier:
        await end_access(work, each["id"])
    told = f"{work.now():%Y-%m-%d %H:%M}"
    notice = await work.save(notice_to(work, person, TOLD % (told, told)), because="it is told")
    task = duty(work, "emergency-access", patient, reason, [_named("notice", notice.reference)])
    seconds = work.parameter("emergency_access_seconds", work.now())
    task["restriction"] = {"period": {"start": moment(work), "end": moment(work, seconds)}}
    task |= {"partOf": [{"reference": f"Task/{each['id']}"} for each in earlier]} if earlier else {}
    return await work.save(task, because=text)


async def end_access(work: Work, id: str) -> Stored:
    """An access that is open ends now; it is reviewed all the same."""
    task, version = await queries.duty(work, id)
    shorter = task | {"restriction": duties.ended(task, work.now())}
    return await work.save(shorter, because="no longer needed", if_match=version)


def _named(name: str, reference: str) -> Json:
    return said(name, valueReference={"reference": reference})


async def arrive(work: Work, person: Json | None, practitioner: str) -> tuple[str, str]:
    """Somebody has arrived at the organization of whoever asks: "Patient/x" and the encounter by reference. One
    who arrived there and has not left is there once; `practitioner` ("Practitioner/x" or "") is to see them. An
    arrival of which nobody says more is over after a while, and with it what it lets be seen."""
    here = work.agent.organization
    if here is None:
        raise Problem.forbidden(["an arrival is at an organization; act for one"])
    patient = f"Patient/{existing(person)['id']}"
    there = await queries.arrived(work, patient, here)
    if there is not None and practitioner in ("", *queries.seeing(there)):
        return patient, f"Encounter/{there['id']}"
    encounter: Json = there or {
        "resourceType": "Encounter",
        "status": "arrived",
        "class": {"system": CLASSES, "code": "AMB"},
        "subject": {"reference": patient},
        "serviceProvider": {"reference": here},
        "period": {
            "start": moment(work),
            "end": moment(work, work.parameter("arrival_seconds", work.now())),
        },
    }
    if practitioner:
        participants = encounter.get("participant", [])
        encounter["participant"] = [*participants, {"individual": {"reference": practitioner}}]
    return patient, (await work.save(encounter, because="arrived")).reference

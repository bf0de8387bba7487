"""Duties of the privacy officer: they are opened, become urgent, and are answered so that the person can read it."""

from datetime import timedelta
from typing import Any

from commonweal.fhir.outcome import Problem, issue
from commonweal.platform import Decision, Work
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.rules import duties, people
from commonweal.services.privacy.rules.duties import TASK
from commonweal.services.privacy.workflow import DUTIES, WAITING

Json = dict[str, Any]
OFFICER = {"display": "privacy officer"}
"""Whoever is one at the time; a person by name would have a tie to the patient (access/relationship.py)."""


def moment(work: Work, seconds: int = 0) -> str:
    """Now, or so many seconds later, as FHIR writes it."""
    return f"{work.now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def state(code: str) -> Json:
    """A concept of the tasks of privacy."""
    return {"coding": [{"system": TASK, "code": code}]}


def said(name: str, **value: Any) -> Json:
    """An input or output."""
    return {"type": state(name), **value}


def duty(work: Work, name: str, patient: str, reason: Json, inputs: list[Json]) -> Json:
    """A task that waits for the privacy officer."""
    until = moment(work, work.parameter(DUTIES[name].limit, work.now()))
    organization = work.agent.organization
    held = [said("organization", valueReference={"reference": organization})] if organization else []
    return {
        "resourceType": "Task",
        "status": "requested",
        "businessStatus": state(WAITING),
        "intent": "order",
        "priority": "routine",
        "code": state(name),
        "for": {"reference": patient},
        "authoredOn": moment(work),
        "requester": asker(work),
        "owner": OFFICER,
        "reasonCode": reason,
        "input": [said("until", valueDateTime=until), *held, *inputs],
    }


MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"


def notice_to(work: Work, person: Json, text: str) -> Json:
    """What tells a person, by the way they can be reached: a message, a mail, or a letter."""
    ways = {"phone": "SMSWRIT", "sms": "SMSWRIT", "email": "MAILWRIT"}
    reached = [ways[each["system"]] for each in person.get("telecom", []) if each.get("system") in ways]
    patient = {"reference": f"Patient/{person['id']}"}
    return {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "category": [state("notice")],
        "priority": "urgent",
        "medium": [{"coding": [{"system": MODES, "code": reached[0] if reached else "WRITTEN"}]}],
        "subject": patient,
        "recipient": [patient],
        "payload": [{"contentString": text}],
        "authoredOn": moment(work),
    }


def asker(work: Work) -> Json:
    """Whoever asks: a person by reference, the platform itself and operators by name."""
    type = work.agent.id.partition("/")[0]
    if type in ("Practitioner", "Patient"):
        return {"reference": work.agent.id, **({"display": work.agent.name} if work.agent.name else {})}
    return {"display": work.agent.name or work.agent.id}


async def answer(work: Work, id: str, chosen: str, finding: str, ended: list[str]) -> Stored:
    """A duty is answered. What was not in order ends what is still open of it and has a follow-up; of a conflict,
    those of `ended` ("Consent/x") act no longer."""
    task, version = await queries.duty(work, id)
    _may_answer(work, task)
    name = duties.coded(task["code"], TASK)
    task |= {"status": "completed", "businessStatus": state(chosen)}
    task |= {"output": [said("finding", valueString=finding)]} if finding else {}
    if name == "emergency-access" and chosen == DUTIES[name].follow and duties.is_open(task, work.now()):
        task["restriction"] = duties.ended(task, work.now())
    stored = await work.save(task, because=finding, if_match=version)
    if DUTIES[name].follow == chosen:
        about = [said("about", valueReference={"reference": stored.reference})]
        more = duty(work, "access-follow-up", task["for"]["reference"], {"text": finding}, about)
        await work.save(more, because="an access was not in order")
    disputed = [each["reference"] for each in duties.given(task, "about")]
    for reference in (each for each in ended if each in disputed):
        await end_consent(work, reference, finding)
    return stored


def must_be_ours(task: Json) -> None:
    """Other tasks are not the privacy officer's; Problem 404."""
    if duties.coded(task.get("code", {}), TASK) not in DUTIES:
        raise Problem.not_found("Task", task["id"])


def _may_answer(work: Work, task: Json) -> None:
    """Nobody answers for what they did themselves."""
    must_be_ours(task)
    if task.get("requester", {}).get("reference") == work.agent.id:
        raise Problem.forbidden(["nobody reviews what they did themselves"])


async def end_consent(work: Work, reference: str, because: str) -> Stored:
    """It is in force no longer."""
    consent, version = await consent_of(work, reference)
    return await work.save(consent | {"status": "inactive"}, because=because, if_match=version)


async def consent_of(work: Work, reference: str) -> tuple[Json, int]:
    """A consent by reference, and its version."""
    type, _, id = reference.partition("/")
    if type != "Consent" or not id:
        raise Problem.invalid("a Consent is referred to as Consent/id", "Parameters")
    return await queries.consent(work, id)


async def escalate(work: Work, id: str, overdue: bool, note: str) -> Stored | None:
    """It becomes more urgent, and says when and why; once, however often it is told. None: there is nothing to do."""
    task, version = await queries.duty(work, id)
    notes = task.get("note", [])
    if task["status"] != "requested" or any(each["text"] == note for each in notes):
        return None
    noted = [*notes, {"text": note, "time": moment(work)}]
    urgent = task | {"priority": duties.raised(task, overdue), "note": noted}
    return await work.save(urgent, because=note, if_match=version)


async def must_decide_for(work: Work, patient: str) -> None:
    """Problem 403, with one sentence, unless whoever asks decides for this person."""
    if not await decides_for(work, patient):
        raise Problem.forbidden(["only the person, a parent or a guardian decides this"])


async def decides_for(work: Work, patient: str) -> bool:
    """Is whoever asks this person, or do they decide for them by law?"""
    if patient == work.agent.id:
        return patient.startswith("Patient/")
    consent = await queries.acting(work, work.agent.id, patient)
    return consent is not None and bool(people.may_decide(consent))


def existing(person: Json | None) -> Json:
    """The one person who was looked for; Problem 422 with the one sentence else."""
    admitted(people.is_found(person), "Patient")
    assert person is not None
    return person


def admitted(decision: Decision, path: str) -> None:
    """Problem 422 with the reasons against."""
    if not decision:
        raise Problem.unprocessable(issue("cw-business-rule", path, why=why) for why in decision.reasons)

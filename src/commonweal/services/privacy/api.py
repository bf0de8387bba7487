"""The operations of privacy, for pages, for machines and for other services. All of them see beyond the reach of
whoever calls: each says itself for whom it does something, and tells no more than its answer names."""

from collections.abc import Awaitable, Callable
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform import Operation, Work
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.actions import consents as deciding
from commonweal.services.privacy.actions import duties, emergencies, objections, proxies
from commonweal.services.privacy.rules import people
from commonweal.services.privacy.rules.consents import Choice, Party
from commonweal.services.privacy.workflow import CONTEST, DUTIES, OBJECT, OPEN, REVIEW

Json = dict[str, Any]
ARRIVE, PROXY, CONSENT, SEE, GUARDIAN = (
    "arrival.record",
    "proxy.grant",
    "consent.give",
    "access.see",
    "guardian.record",
)


async def emergency_access(work: Work, parameters: Json) -> Json:
    """identifier and birthDate, or family, given and birthDate; code, reason → patient, task, until."""
    asked = _texts(parameters)
    task = await emergencies.open_access(work, lambda: _sought(work, asked), asked("code"), asked("reason"))
    opened = codec.parse(task.body)
    return _answer(
        {"name": "patient", "valueReference": opened["for"]},
        {"name": "task", "valueReference": {"reference": task.reference}},
        {"name": "until", "valueInstant": opened["restriction"]["period"]["end"]},
    )


async def end_access(work: Work, parameters: Json) -> Json:
    """task (one's own, open) → nothing."""
    id = _texts(parameters)("task").removeprefix("Task/")
    if id not in {each["id"] for each in await queries.emergencies(work, work.agent.id)}:
        raise Problem.not_found("Task", id)
    await emergencies.end_access(work, id)
    return _answer()


async def my_emergencies(work: Work, parameters: Json) -> Json:
    """→ task: those that whoever asks has open."""
    return _resources("task", await queries.emergencies(work, work.agent.id))


async def arrive(work: Work, parameters: Json) -> Json:
    """identifier and birthDate, practitioner? (who is to see them) → patient, encounter."""
    asked = _texts(parameters)
    person = await queries.by_number(work, asked("identifier"), asked("birthDate"))
    patient, encounter = await emergencies.arrive(work, person, asked("practitioner"))
    return _answer(
        {"name": "patient", "valueReference": {"reference": patient}},
        {"name": "encounter", "valueReference": {"reference": encounter}},
    )


async def acting(work: Work, parameters: Json) -> Json:
    """→ consent: by what others act for whoever asks, and by what they act for others."""
    me = work.agent.id
    return _resources("consent", [*await queries.proxies(work, me), *await queries.wards(work, me)])


async def acting_for(work: Work, parameters: Json) -> Json:
    """patient (of whom one is a parent or guardian) → consent: who else acts for them; disputed."""
    patient = _reference(parameters, "patient", "Patient")
    await duties.must_decide_for(work, patient)
    several = _resources("consent", await queries.proxies(work, patient))
    disputed = await queries.is_disputed(work, patient)
    return _answer(*several["parameter"], {"name": "disputed", "valueBoolean": disputed})


async def grant(work: Work, parameters: Json) -> Json:
    """patient, identifier, family, given (of the proxy), type (several), until → consent."""
    asked = _texts(parameters)
    patient = _reference(parameters, "patient", "Patient")
    proxy = await queries.named(work, asked("identifier"), asked("family"), asked("given"))
    return _told(await proxies.grant(work, patient, proxy, _many(parameters, "type"), asked("until")))


async def claim_child(work: Work, parameters: Json) -> Json:
    """identifier, birthDate (of one's child, as the registry recorded it at birth) → consent."""
    asked = _texts(parameters)
    child = await queries.by_number(work, asked("identifier"), asked("birthDate"))
    return _told(await proxies.claim_child(work, child))


async def record_guardian(work: Work, parameters: Json) -> Json:
    """role (PRN or GUARD), identifier, birthDate (of the ward), proxy-identifier, proxy-birthDate, document →
    consent, or the task of a conflict."""
    asked = _texts(parameters)
    ward = await queries.by_number(work, asked("identifier"), asked("birthDate"))
    proxy = await queries.by_number(work, asked("proxy-identifier"), asked("proxy-birthDate"))
    ways: dict[str, Callable[..., Awaitable[Stored]]] = {
        people.PARENT: proxies.record_parent,
        people.GUARDIAN: proxies.record_guardian,
    }
    if asked("role") not in ways or not asked("document"):
        raise Problem.invalid("role is PRN or GUARD, and document says by what it was shown", "Parameters")
    return _told(await ways[asked("role")](work, ward, proxy, asked("document")))


async def contest(work: Work, parameters: Json) -> Json:
    """patient, consent (by which somebody acts for them), reason → task."""
    consent, reason = _reference(parameters, "consent", "Consent"), _texts(parameters)("reason")
    return _told(await proxies.contest(work, _reference(parameters, "patient", "Patient"), consent, reason))


async def give_consent(work: Work, parameters: Json) -> Json:
    """patient, type (permit or deny), party and party-name?, label (several), purpose (several), until? → consent."""
    asked = _texts(parameters)
    party = Party(asked("party"), asked("party-name")) if asked("party") else None
    labels, purposes = (tuple(_many(parameters, name)) for name in ("label", "purpose"))
    choice = Choice(asked("type") == "permit", party, labels, purposes, asked("until"))
    return _told(await deciding.give(work, _reference(parameters, "patient", "Patient"), choice))


async def withdraw(work: Work, parameters: Json) -> Json:
    """consent → consent: one that was given, or a proxy, ends."""
    stored = await proxies.end(work, _reference(parameters, "consent", "Consent"), "withdrawn")
    return _told(stored)


async def decided(work: Work, parameters: Json) -> Json:
    """patient → consent: what they decided, what has ended included."""
    patient = _reference(parameters, "patient", "Patient")
    await duties.must_decide_for(work, patient)
    return _resources("consent", await queries.consents(work, patient))


async def object_to(work: Work, parameters: Json) -> Json:
    """patient, access (the key of an entry of the journal), reason → task."""
    asked = _texts(parameters)
    patient = _reference(parameters, "patient", "Patient")
    return _told(await objections.object_to(work, patient, asked("access"), asked("reason")))


async def cases(work: Work, parameters: Json) -> Json:
    """patient → task: emergency accesses, objections and conflicts about them, with what was found."""
    patient = _reference(parameters, "patient", "Patient")
    await duties.must_decide_for(work, patient)
    return _resources("task", await queries.about(work, patient))


async def queue(work: Work, parameters: Json) -> Json:
    """→ task: all that waits for the privacy officer, the oldest first; answered: the last that were answered."""
    waiting = _resources("task", await queries.waiting(work, DUTIES))
    return _answer(
        *waiting["parameter"], *_resources("answered", await queries.answered(work, DUTIES))["parameter"]
    )


async def case(work: Work, parameters: Json) -> Json:
    """task → task, patient (who it is about), consent (what is disputed)."""
    task, _ = await queries.duty(work, _texts(parameters)("task").removeprefix("Task/"))
    duties.must_be_ours(task)
    disputed = await queries.disputed(work, task)
    patient = await queries.person(work, task["for"]["reference"])
    brief = {name: patient[name] for name in ("resourceType", "id", "name", "birthDate") if name in patient}
    return _answer(
        {"name": "task", "resource": task},
        {"name": "patient", "resource": brief},
        *_resources("consent", disputed)["parameter"],
    )


async def answer(work: Work, parameters: Json) -> Json:
    """task, answer, finding, end (several: disputed consents that end) → task."""
    asked = _texts(parameters)
    id = asked("task").removeprefix("Task/")
    return _told(await duties.answer(work, id, asked("answer"), asked("finding"), _many(parameters, "end")))


async def _sought(work: Work, asked: Callable[[str], str]) -> Json | None:
    """By the number where there is one, else by the name."""
    if asked("identifier"):
        return await queries.by_number(work, asked("identifier"), asked("birthDate"))
    return await queries.by_name(work, asked("family"), asked("given"), asked("birthDate"))


def _answer(*parameters: Json) -> Json:
    """Parameters; without any it names none, since FHIR knows no empty list."""
    return {"resourceType": "Parameters", **({"parameter": list(parameters)} if parameters else {})}


def _told(stored: Stored) -> Json:
    """The one resource that came of it."""
    return _answer({"name": stored.type.lower(), "valueReference": {"reference": stored.reference}})


def _resources(name: str, several: list[Json]) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": name, "resource": each} for each in several]}


def _many(parameters: Json, name: str) -> list[str]:
    """The texts of a parameter that may be there several times."""
    given = (each for each in parameters.get("parameter", ()) if each.get("name") == name)
    values = (value for each in given for key, value in each.items() if key.startswith("value"))
    return [value.strip() for value in values if isinstance(value, str) and value.strip()]


def _texts(parameters: Json) -> Callable[[str], str]:
    """What a parameter says; "" where it is missing."""
    return lambda name: next(iter(_many(parameters, name)), "")


def _reference(parameters: Json, name: str, type: str) -> str:
    """ "Type/id" that a parameter names, as a reference or a text; Problem 400 when it does not."""
    values = (
        each.get("valueReference", {}) for each in parameters.get("parameter", ()) if each.get("name") == name
    )
    found = next((value["reference"] for value in values if "reference" in value), _texts(parameters)(name))
    kind, _, id = found.rpartition("/")
    if kind != type or not id:
        raise Problem.invalid(f"the parameter {name} must refer to a {type}", "Parameters")
    return found


def _op(name: str, permission: str, run: Any, sentence: str, affects_state: bool = True) -> Operation:
    return Operation(name, permission, run, sentence, affects_state=affects_state, beyond=True)


OPERATIONS = (
    _op(
        "Patient/$emergency-access",
        OPEN,
        emergency_access,
        "Open somebody's record in an emergency; they are told",
    ),
    _op("$emergency-accesses", OPEN, my_emergencies, "One's own emergency accesses that are open", False),
    _op("$end-emergency-access", OPEN, end_access, "End one's own emergency access before its time"),
    _op("Patient/$arrive", ARRIVE, arrive, "Say that somebody has arrived at one's organization"),
    _op("$proxies", SEE, acting, "Who acts for oneself, and for whom one acts", False),
    _op(
        "Patient/$proxies",
        PROXY,
        acting_for,
        "Who acts for somebody of whom one is parent or guardian",
        False,
    ),
    _op("Patient/$grant-proxy", PROXY, grant, "Let somebody act for oneself until a day"),
    _op("Patient/$claim-child", PROXY, claim_child, "Act for one's child, as recorded at its birth"),
    _op(
        "Patient/$record-guardian", GUARDIAN, record_guardian, "Record a parent or guardian by what they show"
    ),
    _op("Patient/$contest-proxy", CONTEST, contest, "Dispute that somebody acts for oneself or one's ward"),
    _op("Patient/$give-consent", CONSENT, give_consent, "Permit a sensitive kind, or keep somebody out"),
    _op("$withdraw-consent", CONSENT, withdraw, "End a consent, or that somebody acts"),
    _op("Patient/$consents", SEE, decided, "What a person has decided", False),
    _op("Patient/$object-to-access", OBJECT, object_to, "Say that one does not know an access"),
    _op("Patient/$privacy-cases", SEE, cases, "What is being found out about accesses to a record", False),
    _op("$privacy-queue", REVIEW, queue, "What waits for the privacy officer", False),
    _op("$privacy-case", REVIEW, case, "One of these, with whom it is about", False),
    _op("$privacy-answer", REVIEW, answer, "Answer it, in words that the person can read"),
)

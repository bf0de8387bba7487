"""The operations of the registry, for machines and for other services."""

from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform import Operation, Work
from commonweal.services.registry import actions
from commonweal.services.registry.rules import numbers

Json = dict[str, Any]


async def merge(work: Work, parameters: Json) -> Json:
    """source-patient, target-patient (references), reason → the patient that goes on."""
    source, target = _patient(parameters, "source-patient"), _patient(parameters, "target-patient")
    await actions.merge(work, source, target, because=_text(parameters, "reason"))
    return _answer({"name": "result-patient", "valueReference": {"reference": f"Patient/{target}"}})


async def unmerge(work: Work, parameters: Json) -> Json:
    """source-patient, target-patient (references), reason → the patient who is a person of their own again."""
    source, target = _patient(parameters, "source-patient"), _patient(parameters, "target-patient")
    await actions.unmerge(work, source, target, because=_text(parameters, "reason"))
    return _answer({"name": "result-patient", "valueReference": {"reference": f"Patient/{source}"}})


async def register(work: Work, parameters: Json) -> Json:
    """patient (the resource) → patient (a reference), when registered; registered."""
    given = (each for each in parameters.get("parameter", ()) if each.get("name") == "patient")
    person = next((each["resource"] for each in given if "resource" in each), None)
    if person is None or person.get("resourceType") != "Patient" or "id" in person:
        raise Problem.invalid("the parameter patient must hold a Patient without an id", "Parameters")
    stored = await actions.register_once(work, person)
    told: Json = {"name": "registered", "valueBoolean": stored is not None}
    if stored is None:
        return _answer(told)
    return _answer(told, {"name": "patient", "valueReference": {"reference": stored.reference}})


async def identify(work: Work, parameters: Json) -> Json:
    """system, value → known, valid, reasons; it looks nobody up."""
    judged = numbers.judged({name: _text(parameters, name) for name in ("system", "value")})
    answers: list[Json] = [{"name": "known", "valueBoolean": judged["known"]}]
    if judged["valid"] is not None:
        answers.append({"name": "valid", "valueBoolean": judged["valid"]})
    return _answer(*answers, *({"name": "reason", "valueString": why} for why in judged["reasons"]))


def _answer(*parameters: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


def _value(parameters: Json, name: str) -> Any:
    """The value of one parameter; Problem 400 when it is not there."""
    for each in parameters.get("parameter", ()):
        if each.get("name") == name:
            return next((value for key, value in each.items() if key.startswith("value")), None)
    raise Problem.invalid(f"the parameter {name} is missing", "Parameters")


def _text(parameters: Json, name: str) -> str:
    value = _value(parameters, name)
    if not isinstance(value, str) or not value.strip():
        raise Problem.invalid(f"the parameter {name} must be a text", "Parameters")
    return value


def _patient(parameters: Json, name: str) -> str:
    """The id of the patient a parameter refers to, as a reference or by the address."""
    value = _value(parameters, name)
    text = value.get("reference", "") if isinstance(value, dict) else str(value)
    type, _, id = text.rpartition("/")
    if type != "Patient" or not id:
        raise Problem.invalid(f"the parameter {name} must refer to a Patient", "Parameters")
    return id


OPERATIONS = (
    Operation(
        "Patient/$register",
        "person.register",
        register,
        "Register a person; it does not tell whether somebody has the number",
        beyond=True,
    ),
    Operation("Patient/$merge", "person.merge", merge, "Say that two records are one person"),
    Operation("Patient/$unmerge", "person.merge", unmerge, "Undo that, exactly"),
    Operation(
        "$identify",
        "identity.check",
        identify,
        "Check an identity number; nobody is looked up",
        affects_state=False,
    ),
)

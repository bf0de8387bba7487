"""What codes are called on the pages of privacy, and how pages ask for operations."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from commonweal.access.roles import ROLES
from commonweal.fhir.outcome import Problem
from commonweal.platform import Work
from commonweal.services.privacy.rules import consents, duties, people
from commonweal.services.privacy.rules.duties import TASK
from commonweal.web import page, said
from commonweal.web.page import _

Json = dict[str, Any]


def purposes() -> Mapping[str, str]:
    """In plain words, by code of v3-ActReason."""
    return {
        "TREAT": _("care"),
        "ETREAT": _("care in an emergency"),
        "BTG": _("care in an emergency"),
        "HPAYMT": _("payment"),
        "HOPERAT": _("registration and running the service"),
        "PUBHLTH": _("protecting public health"),
        "HRESCH": _("research"),
        "PATRQT": _("the person's own request"),
        "FAMRQT": _("the family's request"),
        "HCOMPL": _("checking that rules are kept"),
        "HSYSADMIN": _("technical administration"),
    }


def roles() -> Mapping[str, str]:
    """In plain words, by name of the role."""
    told = {
        "operator": _("operator of the installation"),
        "system": _("the platform itself"),
        "anonymous": _("somebody not signed in"),
        "resident": _("resident"),
        "clinician": _("doctor or nurse"),
        "pharmacist": _("pharmacist"),
        "registrar": _("registration desk"),
        "community-worker": _("community worker"),
        "officer": _("public health officer"),
        "epidemiologist": _("epidemiologist"),
        "auditor": _("auditor"),
        "privacy-officer": _("privacy officer"),
        "access-manager": _("manager of people and roles"),
        "backend": _("a partner's system"),
    }
    return {name: told.get(name, name) for name in (*ROLES, *told)}


def labels() -> Mapping[str, str]:
    """The sensitive kinds, by label."""
    return {
        "PSY": _("mental health"),
        "HIV": _("HIV and AIDS"),
        "SEX": _("sexual and reproductive health"),
    }


def kinds() -> Mapping[str, str]:
    """What a proxy may be limited to, by type."""
    return {
        "Appointment": _("appointments"),
        "MedicationRequest": _("prescriptions"),
        "Immunization": _("vaccinations"),
        "Observation": _("measurements and results"),
        "DiagnosticReport": _("reports"),
        "Condition": _("diagnoses"),
        "Encounter": _("visits"),
    }


def relations() -> Mapping[str, str]:
    """How somebody acts for a person."""
    return {
        people.PARENT: _("parent"),
        people.GUARDIAN: _("guardian by document"),
        people.CHOSEN: _("chosen by the person"),
    }


def reasons() -> Mapping[str, str]:
    """Why a record is opened in an emergency."""
    return {
        "unconscious": _("The person cannot answer"),
        "life-threatening": _("Life is in danger"),
        "urgent-transfer": _("Urgent transfer, not yet admitted"),
        "danger-to-others": _("Others are in danger"),
    }


def states() -> Mapping[str, str]:
    """Of duties."""
    return {
        "waiting": _("being looked into"),
        "justified": _("found justified"),
        "not-justified": _("found not justified"),
        "in-order": _("found to be in order"),
        "not-in-order": _("found not to be in order"),
        "decided": _("decided"),
        "closed": _("finished"),
    }


def titles() -> Mapping[str, str]:
    """Of duties, by kind."""
    return {
        "emergency-access": _("Emergency access"),
        "access-objection": _("Objection to an access"),
        "guardian-conflict": _("Conflict between guardians"),
        "access-follow-up": _("Follow-up of an access"),
    }


def spoken(codes: Iterable[str], words: Mapping[str, str]) -> str:
    """Several codes as words, in one phrase."""
    return _(", ").join(words.get(each, each) for each in codes)


def called(reference: Json) -> str:
    """The name that a reference carries."""
    return str(reference.get("display") or _("name not recorded"))


def task(each: Json) -> Json:
    """A duty as pages show it."""
    state = duties.coded(each.get("businessStatus", {}), TASK)
    kind = duties.coded(each.get("code", {}), TASK)
    start, end = duties.opened(each)
    reason = each.get("reasonCode", {})
    return {
        "id": each["id"],
        "kind": kind,
        "title": titles().get(kind, kind),
        "state": state,
        "stated": states().get(state, state),
        "reason": reasons().get(duties.coded(reason, duties.REASON), ""),
        "text": reason.get("text", ""),
        "asked": each.get("authoredOn", ""),
        "by": each.get("requester", {}),
        "until": next(iter(duties.given(each, "until")), ""),
        "finding": next(iter(duties.given(each, "finding", "output")), ""),
        "priority": each.get("priority", "routine"),
        "start": start,
        "end": end,
    }


def consent(each: Json) -> Json:
    """A consent as pages show it."""
    provision = each.get("provision", {})
    actor: Json = next((each["reference"] for each in provision.get("actor", ())), {})
    return {
        "id": each["id"],
        "kind": consents.kind_of(each),
        "active": each.get("status") == "active",
        "party": called(actor) if actor else "",
        "patient": each["patient"]["reference"],
        "ward": called(each["patient"]),
        "proxy": people.proxy_of(each),
        "role": people.role_of(each),
        "relation": relations().get(people.role_of(each), ""),
        "labels": spoken(consents.codes(each, "securityLabel"), labels()),
        "purposes": spoken(consents.codes(each, "purpose"), purposes()),
        "types": spoken(consents.codes(each, "class"), kinds()),
        "since": provision.get("period", {}).get("start", "") or each.get("dateTime", ""),
        "until": provision.get("period", {}).get("end", ""),
        "document": each.get("sourceAttachment", {}).get("title", ""),
    }


def moment(when: datetime | None) -> str:
    """Day and time, in UTC."""
    return said.moment(f"{when.astimezone(UTC):%Y-%m-%dT%H:%MZ}") if when else ""


async def ask(work: Work, name: str, **values: str | list[str]) -> Json:
    """The answer of an operation; "birth_date" is spelt birth-date, several texts are several parameters."""
    pairs = ((key.replace("_", "-"), each) for key, value in values.items() for each in _each(value) if each)
    parameters = [{"name": key, "valueString": value} for key, value in pairs]
    return await work.operation(name, {"resourceType": "Parameters", "parameter": parameters})


def _each(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def told(answer: Json, name: str) -> list[Json]:
    """The resources of a name in an answer."""
    return [
        each["resource"]
        for each in answer.get("parameter", ())
        if each["name"] == name and "resource" in each
    ]


def reference(answer: Json, name: str) -> str:
    """The id of what a reference in an answer leads to; "" where it is not there."""
    found = (
        each["valueReference"]["reference"] for each in answer.get("parameter", ()) if each["name"] == name
    )
    return next(found, "").rpartition("/")[2]


async def tried(faults: page.Faults, field: str, act: Callable[[], Awaitable[Json]]) -> Json | None:
    """What is done when the form has no faults; what speaks against it becomes a fault of a field."""
    if faults:
        return None
    try:
        return await act()
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        faults[field] = "; ".join(_(each.diagnostics) for each in problem.issues)
        return None


def resident(work: Work) -> str:
    """ "Patient/x" who looks; Problem 403 for whoever has no record here."""
    if not work.agent.id.startswith("Patient/"):
        raise Problem.forbidden(["this page is a resident's own"])
    return work.agent.id


async def acting(work: Work) -> tuple[list[Json], list[Json]]:
    """By what others act for whoever looks, and by what they act for others."""
    several = [consent(each) for each in told(await ask(work, "$proxies"), "consent")]
    return [each for each in several if each["proxy"] != work.agent.id], [
        each for each in several if each["proxy"] == work.agent.id
    ]


async def subject(work: Work, request: Request) -> tuple[str, list[Json]]:
    """Whose page it is: one's own, or that of a ward who was chosen; and all who can be chosen."""
    me = resident(work)
    _others, mine = await acting(work)
    wards = [each for each in mine if each["role"] in people.BY_LAW]
    chosen = request.query_params.get("of", "")
    there = next((each["patient"] for each in wards if each["patient"] == f"Patient/{chosen}"), me)
    return there, wards

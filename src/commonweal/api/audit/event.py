"""Entries of the journal as FHIR: https://hl7.org/fhir/R4/auditevent.html and https://hl7.org/fhir/R4/provenance.html.

Entities are told as the profiles of IHE BALP tell them: https://profiles.ihe.net/ITI/BALP/.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from commonweal.platform.journal import Entry

Json = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
REASON = TERMINOLOGY + "v3-ActReason"
REST = {"system": TERMINOLOGY + "audit-event-type", "code": "rest"}
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
SIGNING = {"system": DICOM, "code": "110114", "display": "User Authentication"}
SIGNINGS = {
    "sign-in": {"system": DICOM, "code": "110122", "display": "Login"},
    "sign-out": {"system": DICOM, "code": "110123", "display": "Logout"},
}
SECURITY = {"system": DICOM, "code": "110113", "display": "Security Alert"}
ATTRIBUTES = {"system": DICOM, "code": "110137", "display": "User Security Attributes Changed"}
OF_IDENTITY = frozenset(
    (
        "account",
        "app",
        "client",
        "passkey",
        "password",
        "recovery",
        "role",
        "session",
        "sessions",
        "token",
        "totp",
    )
)
"""How the words begin by which identity notes what it did (identity.house)."""
INTERACTION = "http://hl7.org/fhir/restful-interaction"
ROLE = TERMINOLOGY + "object-role"
OWN_ROLE = "urn:commonweal:role"
APPLICATION = {"coding": [{"system": DICOM, "code": "110150", "display": "Application"}]}
ORGANIZATION = {"coding": [{"system": TERMINOLOGY + "v3-RoleClass", "code": "PROV"}]}
PERSON = {"system": TERMINOLOGY + "audit-entity-type", "code": "1", "display": "Person"}
OBJECT = {"system": TERMINOLOGY + "audit-entity-type", "code": "2", "display": "System Object"}
REQUEST_ID = {
    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    "code": "XrequestId",
}
INTERACTIONS: Mapping[str, tuple[str, str]] = {
    "read": ("read", "R"),
    "vread": ("vread", "R"),
    "read-all": ("read", "R"),
    "history": ("history", "R"),
    "search": ("search", "E"),
    "count": ("search", "E"),
    "journal": ("search", "E"),
    "create": ("create", "C"),
    "update": ("update", "U"),
    "patch": ("patch", "U"),
    "delete": ("delete", "D"),
    "transaction": ("transaction", "E"),
    "batch": ("batch", "E"),
}
"""Our word, the code of restful-interaction, and the action (audit-event-action)."""
ACTIVITIES = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}
WRITES = {*ACTIVITIES, "transaction", "batch"}


def audit_event(entry: Entry) -> Json:
    """One entry as an AuditEvent."""
    type, subtype, action = _kind(entry.interaction)
    event: Json = {
        "resourceType": "AuditEvent",
        "id": entry.key,
        "meta": {"versionId": "1", "lastUpdated": _instant(entry.at)},
        "type": type,
        "subtype": [subtype],
        "action": action,
        "recorded": _instant(entry.at),
        "outcome": "0" if entry.outcome < 400 else "4" if entry.outcome < 500 else "8",
        "purposeOfEvent": [*_reasons(entry)],
        "agent": [*_agents(entry)],
        "source": {"observer": {"display": "Commonweal"}},
        "entity": [*_entities(entry)],
    }
    if entry.outcome >= 400:
        event["outcomeDesc"] = f"HTTP {entry.outcome}"
    return {name: value for name, value in event.items() if value != []}


def _kind(interaction: str) -> tuple[Json, Json, str]:
    """Type, subtype and action."""
    if interaction in SIGNINGS:
        return SIGNING, SIGNINGS[interaction], "E"
    if interaction.partition("-")[0] in OF_IDENTITY:
        return SECURITY, ATTRIBUTES | {"display": interaction}, "E"
    code, action = INTERACTIONS.get(interaction, ("operation", "E"))
    named = {"display": interaction} if code == "operation" and interaction else {}
    return REST, {"system": INTERACTION, "code": code, **named}, action


def provenance(entry: Entry) -> Json | None:
    """One entry of a write as the Provenance of what it made; None for a read or a refusal."""
    if entry.interaction not in WRITES or entry.outcome >= 400 or not entry.entities:
        return None
    agent: Json = {"who": _who(entry.agent), "role": _roles(entry)}
    if entry.organization:
        agent["onBehalfOf"] = {"reference": entry.organization}
    made: Json = {
        "resourceType": "Provenance",
        "id": entry.key,
        "meta": {"versionId": "1", "lastUpdated": _instant(entry.at)},
        "target": [{"reference": reference} for reference in entry.entities],
        "recorded": _instant(entry.at),
        "reason": [*_reasons(entry)],
        "agent": [{name: value for name, value in agent.items() if value}],
    }
    if entry.interaction in ACTIVITIES:
        system = TERMINOLOGY + "v3-DataOperation"
        made["activity"] = {"coding": [{"system": system, "code": ACTIVITIES[entry.interaction]}]}
    return {name: value for name, value in made.items() if value != []}


def _instant(microseconds: int) -> str:
    return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _reasons(entry: Entry) -> Iterator[Json]:
    reason: Json = {"coding": [{"system": REASON, "code": entry.purpose}]} if entry.purpose else {}
    if entry.because:
        reason["text"] = entry.because
    if reason:
        yield reason


def _agents(entry: Entry) -> Iterator[Json]:
    """Whoever asked; the app between; the organization for which it was done."""
    asking: Json = {"who": _who(entry.agent), "requestor": True}
    if roles := _roles(entry):
        asking["role"] = roles
    if entry.session:
        asking["altId"] = entry.session
    if entry.address:
        asking["network"] = {"address": entry.address, "type": "2"}
    yield asking
    if entry.client:
        yield {"type": APPLICATION, "who": {"identifier": {"value": entry.client}}, "requestor": False}
    if entry.organization:
        yield {"type": ORGANIZATION, "who": {"reference": entry.organization}, "requestor": False}


def _roles(entry: Entry) -> list[Json]:
    return [{"coding": [{"system": OWN_ROLE, "code": role}]} for role in entry.role.split()]


def _who(name: str) -> Json:
    """A reference, or a name of our own such as "system" or "client-x"."""
    is_reference = "/" in name and name[:1].isupper()
    return {"reference": name} if is_reference else {"identifier": {"value": name or "unknown"}}


def _entities(entry: Entry) -> Iterator[Json]:
    if entry.work:
        yield {"what": {"identifier": {"value": entry.work}}, "type": REQUEST_ID}
    for patient in entry.patients:
        yield {"what": {"reference": patient}, "type": PERSON, "role": {"system": ROLE, "code": "1"}}
    is_read = entry.interaction in ("read", "vread")
    references = dict.fromkeys((*((entry.query,) if is_read and entry.query else ()), *entry.entities))
    for reference in references:
        yield {"what": _who(reference), "type": OBJECT, "role": {"system": ROLE, "code": "4"}}
    if entry.query and not is_read:
        query = b64encode(entry.query.encode()).decode()
        yield {"type": OBJECT, "query": query, "role": {"system": ROLE, "code": "24"}}

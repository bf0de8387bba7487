"""Audit rows as FHIR: https://hl7.org/fhir/R4/auditevent.html and https://hl7.org/fhir/R4/provenance.html."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from commonweal.store.audit.rows import Entry

Json = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
REST = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}
INTERACTION = "http://hl7.org/fhir/restful-interaction"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
REQUEST_ID = {
    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    "code": "XrequestId",
}
INTERACTIONS: Mapping[str, tuple[str, str]] = {
    "read": ("read", "R"),
    "vread": ("vread", "R"),
    "history": ("history", "R"),
    "search": ("search", "E"),
    "count": ("search", "E"),
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


def audit_event(entry: Entry, patients: Mapping[int, str] | None = None) -> Json:
    """One row as an AuditEvent. Patients are kept as hashes; those in `patients` are named by reference."""
    row = entry.row
    code, action = INTERACTIONS.get(row.interaction, ("operation", "E"))
    event: Json = {
        "resourceType": "AuditEvent",
        "id": entry.key,
        "type": REST,
        "subtype": [{"system": INTERACTION, "code": code}],
        "action": action,
        "recorded": _instant(entry.at),
        "outcome": "0" if row.outcome < 400 else "4" if row.outcome < 500 else "8",
        "purposeOfEvent": [_reason(entry)],
        "agent": [{"who": _who(row.agent), "requestor": True}],
        "source": {"observer": {"display": "Commonweal"}},
        "entity": [*_entities(entry, patients or {})],
    }
    if row.outcome >= 400:
        event["outcomeDesc"] = f"HTTP {row.outcome}"
    return event


def provenance(entry: Entry) -> Json | None:
    """One row of a write as the Provenance of what it made; None for a read or a refusal."""
    row = entry.row
    if row.interaction not in WRITES or row.outcome >= 400 or not row.entities:
        return None
    made: Json = {
        "resourceType": "Provenance",
        "id": entry.key,
        "target": [{"reference": reference} for reference in row.entities],
        "recorded": _instant(entry.at),
        "reason": [_reason(entry)],
        "agent": [{"who": _who(row.agent)}],
    }
    if row.interaction in ACTIVITIES:
        system = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
        made["activity"] = {"coding": [{"system": system, "code": ACTIVITIES[row.interaction]}]}
    return made


def _instant(microseconds: int) -> str:
    return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _reason(entry: Entry) -> Json:
    reason: Json = {"coding": [{"system": REASON, "code": entry.row.purpose}]}
    if entry.row.because:
        reason["text"] = entry.row.because
    return reason


def _who(agent: str) -> Json:
    """A reference, or a name of our own such as "system"."""
    is_reference = "/" in agent and agent[:1].isupper()
    return {"reference": agent} if is_reference else {"identifier": {"value": agent}}


def _entities(entry: Entry, patients: Mapping[int, str]) -> list[Json]:
    row = entry.row
    entities: list[Json] = [{"what": {"identifier": {"value": row.work}}, "type": REQUEST_ID}]
    for patient in row.patients:
        if patient in patients:
            entities.append({"what": {"reference": patients[patient]}, "role": {"system": ROLE, "code": "1"}})
    references = [row.query] if row.interaction in ("read", "vread") else row.entities
    entities += [
        {"what": {"reference": reference}, "role": {"system": ROLE, "code": "4"}} for reference in references
    ]
    if row.query and row.interaction not in ("read", "vread"):
        query = b64encode(row.query.encode()).decode()
        entities.append({"query": query, "role": {"system": ROLE, "code": "24"}})
    return entities

"""What each role reads and writes: nobody more than said, and some nothing at all."""

import pytest

from commonweal.access.agent import Agent
from commonweal.access.directory import DIRECTORY
from commonweal.access.roles import (
    ACCESS_MANAGER,
    ANONYMOUS,
    AUDITOR,
    CLINICIAN,
    EPIDEMIOLOGIST,
    OFFICER,
    OPERATOR,
    PHARMACIST,
    PRIVACY_OFFICER,
    REGISTRAR,
    RESIDENT,
    ROLES,
    SYSTEM,
)
from commonweal.boot import discovery
from commonweal.fhir.elements import RESOURCE_TYPES

ABOUT_PEOPLE = RESOURCE_TYPES - DIRECTORY


def _types(role: str, *interactions: str) -> set[str]:
    agent, policy = Agent("Practitioner/x", frozenset({role})), discovery.catalogue().policy
    return {
        type for type in ABOUT_PEOPLE if any(policy.may(agent, f"{type}.{each}") for each in interactions)
    }


@pytest.mark.parametrize("role", [ANONYMOUS, AUDITOR, ACCESS_MANAGER, PRIVACY_OFFICER])
def test_they_read_and_write_nothing_of_people(role: str) -> None:
    """A privacy officer sees by operations, and an auditor the audit."""
    assert _types(role, "read", "search", "history", "create", "update", "delete") <= {
        "AuditEvent",
        "Provenance",
    }


@pytest.mark.parametrize("role", [OFFICER, EPIDEMIOLOGIST, RESIDENT])
def test_they_write_nothing_as_a_resource(role: str) -> None:
    assert _types(role, "create", "update", "delete") <= {"Subscription"}


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {OPERATOR, SYSTEM}))
def test_nobody_deletes_and_nobody_grants_by_writing_a_resource(role: str) -> None:
    """Consents, and tasks that open a record, come of operations alone."""
    assert not _types(role, "delete")
    assert not _types(role, "create", "update") & {"Consent", "Task", "CommunicationRequest", "AuditEvent"}


@pytest.mark.parametrize(
    ("role", "reads", "not_reads"),
    [
        (CLINICIAN, "Observation", "AuditEvent"),
        (PHARMACIST, "MedicationRequest", "Encounter"),
        (REGISTRAR, "Encounter", "Observation"),
        (OFFICER, "Condition", "Consent"),
        (RESIDENT, "Consent", "AuditEvent"),
    ],
)
def test_each_reads_what_its_work_needs(role: str, reads: str, not_reads: str) -> None:
    found = _types(role, "read")
    assert reads in found and not_reads not in found

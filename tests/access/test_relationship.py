"""Which resources tie whom to their patient, for how long: by type, status and period, as tables."""

from typing import Any

import pytest

from commonweal.access.lasting import FOREVER
from commonweal.access.relationship import EMERGENCY_TASK, LIVES_IN, Tie, ties
from commonweal.fhir.search.dates import DAY, span

Json = dict[str, Any]
P, D, ORG = "Patient/p", "Practitioner/d", "Organization/o"
PERSON, DOCTOR, CLINIC = ({"reference": each} for each in (P, D, ORG))
YEAR = {"start": "2026-01-01", "end": "2026-12-31"}
FROM, TO = span("2026-01-01")[0], span("2026-12-31")[1] + 1
MARGIN = 30 * DAY
NAMED: dict[str, Json] = {
    "Encounter": {"subject": PERSON, "participant": [{"individual": DOCTOR}], "period": YEAR},
    "EpisodeOfCare": {"patient": PERSON, "careManager": DOCTOR, "period": YEAR},
    "CareTeam": {"subject": PERSON, "participant": [{"member": DOCTOR}], "period": YEAR},
    "Appointment": {"participant": [{"actor": PERSON, "status": "accepted"}, {"actor": DOCTOR}], **YEAR},
    "ServiceRequest": {"subject": PERSON, "performer": [DOCTOR], "occurrencePeriod": YEAR},
}
STATUSES = {
    "Encounter": "planned arrived triaged in-progress onleave finished | cancelled entered-in-error unknown",
    "EpisodeOfCare": "planned waitlist active onhold | finished cancelled entered-in-error",
    "CareTeam": "proposed active | suspended inactive entered-in-error",
    "Appointment": "booked arrived checked-in | proposed pending fulfilled cancelled noshow entered-in-error waitlist",
    "ServiceRequest": "active | draft on-hold revoked completed entered-in-error unknown",
}
"""Those that tie | and those that do not."""


def parties(resource: Json) -> set[tuple[str, str]]:
    found = ties(resource)
    assert {each.patient for each in found} <= {P}
    return {(each.kind, each.party) for each in found}


def cases() -> list[tuple[str, str, bool]]:
    return [
        (type, status, does)
        for type, text in STATUSES.items()
        for does, part in zip((True, False), text.split("|"), strict=True)
        for status in part.split()
    ]


@pytest.mark.parametrize("type, status, does", cases())
def test_a_status_ties_or_does_not(type: str, status: str, does: bool) -> None:
    resource = {"resourceType": type, "status": status, **NAMED[type]}
    assert parties(resource) == ({("care", D)} if does else set())


@pytest.mark.parametrize("type", NAMED)
def test_care_begins_before_and_lasts_after(type: str) -> None:
    (tie,) = ties({"resourceType": type, "status": STATUSES[type].split()[0], **NAMED[type]})
    assert tie == Tie("care", D, P, FROM - MARGIN, TO + MARGIN)


def test_what_has_no_end_lasts_and_what_is_over_must_say_when() -> None:
    open_ended = {"resourceType": "Encounter", **NAMED["Encounter"], "period": {"start": "2026-01-01"}}
    assert [each.until for each in ties(open_ended | {"status": "in-progress"})] == [FOREVER]
    assert ties(open_ended | {"status": "finished"}) == ()


def test_a_participant_counts_for_their_own_period_and_not_when_they_declined() -> None:
    encounter: Json = {"resourceType": "Encounter", "status": "in-progress", "subject": PERSON}
    own = [{"individual": DOCTOR, "period": {"end": "2026-01-01"}}]
    (tie,) = ties(encounter | {"participant": own})
    assert tie.until == span("2026-01-01")[1] + 1 + MARGIN
    visit = NAMED["Appointment"] | {"resourceType": "Appointment", "status": "booked"}
    away = [{"actor": PERSON, "status": "accepted"}, {"actor": DOCTOR, "status": "declined"}]
    assert ties(visit | {"participant": away}) == ()


def test_a_person_is_tied_to_their_doctor_their_keeper_and_where_they_live() -> None:
    home = {"url": LIVES_IN, "valueReference": {"reference": "Location/village"}}
    other = {"url": "http://example.org", "valueReference": {"reference": "Location/elsewhere"}}
    resource = {
        "resourceType": "Patient",
        "id": "p",
        "generalPractitioner": [DOCTOR],
        "managingOrganization": CLINIC,
    }
    found = parties(resource | {"extension": [home, other]})
    assert found == {("care", D), ("care", ORG), ("area", "Location/village")}


EMERGENCY: Json = {
    "resourceType": "Task",
    "status": "requested",
    "code": {"coding": [dict(zip(("system", "code"), EMERGENCY_TASK, strict=True))]},
    "for": PERSON,
    "requester": DOCTOR,
    "restriction": {"period": {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T11:00:00Z"}},
}


def test_an_emergency_ties_for_its_time_and_not_a_minute_more() -> None:
    begin, end = span("2026-01-01T10:00:00Z")[0], span("2026-01-01T11:00:00Z")[1] + 1
    assert ties(EMERGENCY) == (Tie("emergency", D, P, begin, end),)


@pytest.mark.parametrize(
    "changed",
    [
        {"code": {"coding": [{"system": "http://example.org", "code": EMERGENCY_TASK[1]}]}},
        {"status": "cancelled"},
        {"restriction": {"period": {"start": "2026-01-01T10:00:00Z"}}},
        {"restriction": {}},
        {"requester": CLINIC},
    ],
)
def test_what_is_not_wholly_an_emergency_ties_nobody(changed: Json) -> None:
    assert ties(EMERGENCY | changed) == ()


NOBODY: list[Json] = [
    {"resourceType": "Observation", "subject": PERSON, "performer": [DOCTOR]},
    {"resourceType": "Encounter", "participant": [{"individual": DOCTOR}]},
    {"resourceType": "Encounter", "subject": PERSON, "participant": [{"individual": {"display": "d"}}]},
    {"resourceType": "Encounter", "subject": PERSON, "period": {"start": "once"}, "serviceProvider": CLINIC},
    {"resourceType": "CareTeam", "subject": PERSON, "participant": [{"member": PERSON}]},
]


@pytest.mark.parametrize("resource", NOBODY)
@pytest.mark.parametrize("status", ["in-progress", "active"])
def test_whoever_names_nobody_or_nothing_readable_ties_nobody(resource: Json, status: str) -> None:
    assert ties(resource | {"status": status}) == ()

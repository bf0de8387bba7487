"""The cases of the rules, as the manual prints them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from commonweal.platform import Decision
from commonweal.platform.journal import Entry
from commonweal.services.privacy.rules import consents, duties, looks, people
from commonweal.services.privacy.rules.consents import Choice, Party

Json = dict[str, Any]
Row = dict[str, str]
TODAY = "2026-01-05"


def told(decision: Decision) -> str:
    """As the tables write a decision."""
    return "; ".join(decision.reasons or ("yes",))


def acting(text: str) -> list[Json]:
    """ "Patient/x PRN" as the consent by which they act."""
    pairs = [each.split() for each in text.split(",") if each.strip()]
    return [
        consents.proxying(Party("Patient/ward", ""), Party(who, ""), role, [], "2027-01-01", {}, TODAY)
        for who, role in pairs
    ]


def test_may_be_asked(row: Row) -> None:
    coding = {"coding": [{"system": duties.REASON, "code": row["code"]}]} if row["code"] else {}
    words = {"text": " " * 20 if row["words"] == "." else row["words"]}
    assert told(duties.may_be_asked({"reasonCode": coding | words}, 15)) == row["answer"]


def test_may_be_child(row: Row) -> None:
    assert told(people.may_be_child(row["born"], row["today"], 14)) == row["answer"]


def test_may_act(row: Row) -> None:
    decision = people.may_act(
        row["proxy"], "Patient/ward", row["role"], acting(row["others"]), row["disputed"] == "yes"
    )
    assert told(decision) == row["answer"]


def test_conflicts(row: Row) -> None:
    found = people.conflicts(row["role"], "Patient/zhao", acting(row["others"]))
    assert " ".join(people.proxy_of(each) for each in found) == row["answer"]


def test_may_be_given(row: Row) -> None:
    parties = {"yes": Party("Organization/x", "X"), "proxy": Party("Patient/x", "X")}
    party = parties.get(row["party"])
    choice = Choice(
        row["kind"] == "permit",
        party,
        tuple(row["labels"].split()),
        tuple(row["purposes"].split()),
        row["until"],
    )
    assert told(consents.may_be_given(choice, TODAY, "2031-01-05")) == row["answer"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ({"family": "王", "given": ["秀", "英"]}, "王秀英"),
        ({"family": "Sharma", "given": ["Asha", "Devi"]}, "Asha Devi Sharma"),
        ({"text": "somebody"}, "somebody"),
        ({}, ""),
    ],
)
def test_a_name_is_said_in_the_order_of_its_script(name: Json, said: str) -> None:
    assert people.spoken(name) == said


def _entry(minute: int, **more: Any) -> Entry:
    at = int(datetime(2026, 1, 5, 9, minute, tzinfo=UTC).timestamp() * 1_000_000)
    said: Json = {
        "agent": "Practitioner/chen",
        "purpose": "TREAT",
        "interaction": "read",
        "role": "clinician",
    }
    fields: Json = {"key": f"1-{minute}", "at": at, "work": "w"} | said | more
    return Entry(**fields)


def test_what_one_did_in_one_capacity_is_one_line() -> None:
    entries = [
        _entry(30, entities=("Observation/a", "Observation/b", "Condition/c")),
        _entry(20, type="Patient"),
        _entry(10, purpose="HRESCH"),
        _entry(5, outcome=404),
    ]
    (day,) = looks.days(entries, [])
    first, second, refused = day.looks
    assert day.day == TODAY and first.kinds == {"Observation": 1, "Condition": 1, "Patient": 1}
    assert (first.first.minute, first.last.minute, first.key, first.times) == (20, 30, "1-30", 2)
    assert second.purpose == "HRESCH" and refused.refused and not first.refused


def test_what_an_emergency_made_possible_is_marked() -> None:
    task = {
        "id": "t",
        "requester": {"reference": "Practitioner/chen"},
        "restriction": {"period": {"start": "2026-01-05T09:10:00Z", "end": "2026-01-05T09:20:00Z"}},
    }
    marked = {minute: looks.emergency_of(_entry(minute), [task]) for minute in (9, 10, 20, 21)}
    assert [minute for minute, found in marked.items() if found] == [10, 20]
    assert looks.emergency_of(_entry(15, agent="Practitioner/li"), [task]) is None

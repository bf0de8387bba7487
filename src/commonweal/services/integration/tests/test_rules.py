"""The cases of the rules, as the manual prints them."""

from typing import Any

from commonweal.platform import Decision
from commonweal.services.integration import rules

Json = dict[str, Any]
Row = dict[str, str]
DUTY: Json = {
    "reasonCode": {"text": "x"},
    "owner": {"display": "x"},
    "restriction": {"period": {"end": "2026"}},
}


def told(decision: Decision) -> str:
    """As the tables write a decision."""
    return "; ".join(decision.reasons or ("yes",))


def said(name: str, **value: Any) -> Json:
    return {"type": {"coding": [{"system": rules.TASK, "code": name}]}, **value}


def test_may_be_quarantined(row: Row) -> None:
    task: Json = {"input": [said("place", valueString=row["place"])]} if row["place"] else {}
    task |= {"reasonCode": {"text": row["reason"]}} if row["reason"] else {}
    task |= {"owner": {"display": "somebody"}} if row["owner"] == "yes" else {}
    task |= {"restriction": {"period": {"end": row["until"]}}} if row["until"] else {}
    assert told(rules.may_be_quarantined(task)) == row["answer"]


def test_may_be_compared(row: Row) -> None:
    people = [said("patient", valueReference={"reference": row[each]}) for each in ("one", "other")]
    assert told(rules.may_be_compared(DUTY | {"input": people})) == row["answer"]


def test_raised(row: Row) -> None:
    task = {"priority": row["was"]} if row["was"] else {}
    assert rules.raised(task, row["to"]) == row["answer"]

"""When a duty of integration may be opened, taken on and closed; tasks in, decisions out."""

from typing import Any

from commonweal.platform import Decision, decide

Json = dict[str, Any]

TASK = "urn:commonweal:task"
"""Code system of what is said on tasks: their kinds, and the names of their inputs and outputs."""
PRIORITIES = ("routine", "urgent", "asap", "stat")
"""In rising order: https://hl7.org/fhir/R4/valueset-request-priority.html."""


def may_be_quarantined(task: Json, _: object = None) -> Decision:
    """May this message wait here? Nobody can put right what does not say where it came from and what is wrong."""
    return _is_duty(task) & decide((given(task, "place"), "it does not say where the message came from"))


def may_be_compared(task: Json, _: object = None) -> Decision:
    """May these two records be asked about? Two different people of the record, as far as is known."""
    people = {each.get("reference", "") for each in given(task, "patient")}
    two = len(people) == 2 and all(each.startswith("Patient/") for each in people)
    return _is_duty(task) & decide((two, "two different patients are to be compared"))


def _is_duty(task: Json) -> Decision:
    """An open duty has a reason, one owner and a deadline: domain README section 8, no orphan duty."""
    return decide(
        (task.get("reasonCode"), "it does not say why it is here"),
        (task.get("owner"), "it has no owner"),
        (task.get("restriction", {}).get("period", {}).get("end"), "it has no deadline"),
    )


def may_be_completed(task: Json) -> Decision:
    """May it be called done?"""
    return decide((given(task, "outcome", "output"), "it does not say what came of it"))


def may_be_rejected(task: Json) -> Decision:
    """May it be given up?"""
    return decide((task.get("statusReason"), "it does not say why nothing can be made of it"))


def given(task: Json, name: str, element: str = "input") -> list[Any]:
    """The values of the inputs (or outputs) of a name."""
    return [
        value
        for each in task.get(element, [])
        if any((c.get("system"), c.get("code")) == (TASK, name) for c in each["type"].get("coding", ()))
        for key, value in each.items()
        if key.startswith("value")
    ]


def raised(task: Json, priority: str) -> str:
    """The higher of its priority and this one: software may raise urgency, never lower it."""
    was: str = task.get("priority", PRIORITIES[0])
    return max(was, priority, key=PRIORITIES.index)

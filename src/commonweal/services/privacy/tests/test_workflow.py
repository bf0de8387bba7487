"""Every move of every state by every role: what is not in the tables may not happen."""

from itertools import product
from typing import Any

import pytest

from commonweal.access.decision import YES, Decision
from commonweal.access.roles import CLINICIAN, OPERATOR, PRIVACY_OFFICER, REGISTRAR, RESIDENT, ROLES, SYSTEM
from commonweal.platform import Workflow
from commonweal.services.privacy.manifest import service
from commonweal.services.privacy.rules.duties import TASK
from commonweal.services.privacy.workflow import DUTIES

FOUND: dict[str, Any] = {
    "output": [{"type": {"coding": [{"system": TASK, "code": "finding"}]}, "valueString": "in order"}]
}
OPENS = {
    "Task: emergency-access": {CLINICIAN},
    "Task: access-objection": {RESIDENT},
    "Task: guardian-conflict": {RESIDENT, REGISTRAR},
    "Task: access-follow-up": {PRIVACY_OFFICER, OPERATOR},
}


@pytest.mark.parametrize("task", [FOUND, {}], ids=["found", "not found"])
@pytest.mark.parametrize("role", sorted(ROLES.keys() - {SYSTEM}))
@pytest.mark.parametrize("workflow", service.workflows, ids=lambda each: each.kind)
def test_only_the_moves_of_the_table(workflow: Workflow, role: str, task: dict[str, Any]) -> None:
    having = {p.name for p in service.permissions if role in p.roles}

    def holds(permission: str) -> Decision:
        return YES if permission in having else Decision(("you may not",))

    pairs = product((None, *workflow.states), workflow.states)
    made = {(a, b) for a, b in pairs if a != b and workflow.may(a, b, task, holds)}
    opened = {(None, "waiting")} if role in OPENS[workflow.kind] else set()
    answers = DUTIES[workflow.kind.removeprefix("Task: ")].answers
    reviews = role in (PRIVACY_OFFICER, OPERATOR) and task
    assert made == opened | ({("waiting", answer) for answer in answers} if reviews else set())

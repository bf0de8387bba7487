"""Every move of every state by every role: what is not in the table may not happen."""

from itertools import product
from typing import Any

import pytest

from commonweal.access.agent import ANONYMOUS, OPERATOR
from commonweal.access.decision import YES, Decision
from commonweal.platform import Workflow
from commonweal.services.integration.manifest import service
from commonweal.services.integration.rules import TASK

OUTCOME = {"type": {"coding": [{"system": TASK, "code": "outcome"}]}, "valueString": "sent again"}
CLOSED = {"output": [OUTCOME], "statusReason": {"text": "empty"}}
ALLOWED = {
    (None, "requested"),
    ("requested", "accepted"),
    ("accepted", "completed"),
    ("accepted", "rejected"),
}
CASES = [
    (OPERATOR, CLOSED, ALLOWED),
    (OPERATOR, {"output": [OUTCOME]}, ALLOWED - {("accepted", "rejected")}),
    (OPERATOR, {"statusReason": {"text": "empty"}}, ALLOWED - {("accepted", "completed")}),
    (ANONYMOUS, CLOSED, set()),
]


@pytest.mark.parametrize("workflow", service.workflows, ids=lambda each: each.kind)
@pytest.mark.parametrize(("role", "task", "allowed"), CASES)
def test_only_the_moves_of_the_table(workflow: Workflow, role: str, task: Any, allowed: set[Any]) -> None:
    having = {p.name for p in service.permissions if role in p.roles}

    def holds(permission: str) -> Decision:
        return YES if permission in having else Decision(("you may not",))

    pairs = product((None, *workflow.states), workflow.states)
    assert {(a, b) for a, b in pairs if a != b and workflow.may(a, b, task, holds)} == allowed

"""Every move by every role: what is not in the table may not happen."""

from itertools import product

import pytest

from commonweal.access.agent import ANONYMOUS, OPERATOR
from commonweal.access.decision import YES, Decision
from commonweal.services.template_service.manifest import service
from commonweal.services.template_service.workflow import DUTY_DONE

DONE = {"owner": {"reference": "Practitioner/one"}, "output": [{"valueString": "all is well"}]}
ALLOWED = {(None, "requested"), ("requested", "in-progress"), ("in-progress", "completed")}


@pytest.mark.parametrize(("role", "allowed"), [(OPERATOR, ALLOWED), (ANONYMOUS, set())])
def test_only_the_moves_of_the_table_are_allowed(role: str, allowed: set[tuple[str | None, str]]) -> None:
    having = {permission.name for permission in service.permissions if role in permission.roles}

    def holds(permission: str) -> Decision:
        return YES if permission in having else Decision(("you may not",))

    pairs = product((None, *DUTY_DONE.states), DUTY_DONE.states)
    assert {(a, b) for a, b in pairs if a != b and DUTY_DONE.may(a, b, DONE, holds)} == allowed

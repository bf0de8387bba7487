"""Every move of every state by every role: what is not in the tables may not happen."""

from itertools import product

import pytest

from commonweal.access.agent import ANONYMOUS, OPERATOR
from commonweal.access.decision import YES, Decision
from commonweal.platform import Workflow
from commonweal.services.registry.manifest import service
from commonweal.services.registry.workflow import COMPARING, CONSENTING, OPENING

ROLES = (OPERATOR, ANONYMOUS)
ALLOWED = {
    CONSENTING.kind: {
        *product([None], ["draft", "proposed", "active"]),
        *product(["draft"], ["proposed", "active", "entered-in-error"]),
        *product(["proposed"], ["active", "rejected", "entered-in-error"]),
        *product(["active"], ["inactive", "entered-in-error"]),
        *product(["inactive"], ["entered-in-error"]),
    },
    COMPARING.kind: {(None, "provisional"), ("provisional", "active")},
    OPENING.kind: {
        (None, "active"),
        *product(["active"], ["suspended", "inactive"]),
        *product(["suspended"], ["active", "inactive"]),
    },
}


def _moves(workflow: Workflow, role: str) -> set[tuple[str | None, str]]:
    """Every move that a role may make."""
    having = {p.name for p in service.permissions if role in p.roles}

    def holds(permission: str) -> Decision:
        return YES if permission in having else Decision(("you may not",))

    pairs = product((None, *workflow.states), workflow.states)
    return {(a, b) for a, b in pairs if a != b and workflow.may(a, b, {}, holds)}


@pytest.mark.parametrize(("workflow", "role"), list(product(service.workflows, ROLES)))
def test_only_the_moves_of_the_table_by_those_who_may(workflow: Workflow, role: str) -> None:
    assert _moves(workflow, role) == (ALLOWED[workflow.kind] if role == OPERATOR else set())

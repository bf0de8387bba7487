"""Gate 3: may the state move? Its workflow's table says so."""

from collections.abc import Callable
from typing import Any

from commonweal.access.decision import Decision
from commonweal.fhir import fhirpath
from commonweal.fhir.outcome import Problem
from commonweal.platform.workflow import Move, Workflow

Json = dict[str, Any]


def moved(
    workflow: Workflow, before: Json | None, after: Json, holds: Callable[[str], Decision]
) -> Move | None:
    """The move that leads from one to the other (None: the state stays); Problem 422 when there is none."""
    source, target = _state(workflow, before), _state(workflow, after)
    if target is None:
        raise Problem.of("cw-business-rule", workflow.state, why=f"{workflow.kind} has no state")
    decision = workflow.may(source, target, after, holds)
    if not decision:
        raise Problem.of("cw-business-rule", workflow.state, why="; ".join(decision.reasons))
    return workflow.find(source, target) if source != target else None


def _state(workflow: Workflow, resource: Json | None) -> str | None:
    if resource is None:
        return None
    found = fhirpath.compile(workflow.state).evaluate(resource)
    return str(found[0]) if found else None

"""Gate 4: does the owner of the kind admit it, given the facts?"""

from collections.abc import Sequence
from typing import Any

from commonweal.access.decision import YES
from commonweal.fhir.outcome import Problem, issue
from commonweal.platform.service import Admit
from commonweal.platform.work import Facts


async def admitted(work: Facts, admits: Sequence[Admit], resource: dict[str, Any]) -> None:
    """Problem 422 with every rule's reasons against."""
    decision = YES
    for admit in admits:
        facts = await admit.given(work, resource) if admit.given else None
        decision = decision & admit.rule(resource, facts)
    if not decision:
        path = resource["resourceType"]
        raise Problem.unprocessable(
            issue("cw-business-rule", path, why=reason) for reason in decision.reasons
        )

"""May this agent do something in bulk? A refusal is audited before it is told."""

from commonweal.fhir.outcome import Problem
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Audited
from commonweal.platform.work import Work

EXPORT = "record.export"
IMPORT = "record.import"


async def permitted(platform: Platform, work: Work, permission: str) -> None:
    """Problem 403 with the reasons unless the agent has the permission."""
    is_declared = permission in platform.catalogue.policy.permissions
    decision = work.may(permission) if is_declared else None
    if not decision:
        row = Audited.by(work.agent, work.id, permission, outcome=403)
        await platform.store.audit(row)
        raise Problem.forbidden(decision.reasons if decision is not None else ())

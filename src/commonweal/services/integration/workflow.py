"""The two duties of integration: which status may follow which, and by when."""

from collections.abc import Mapping

from commonweal.platform import Deadline, Kind, Move, Workflow
from commonweal.services.integration import rules

ADD, RESOLVE = "quarantine.add", "quarantine.resolve"


def _kind(name: str) -> Kind:
    matches = f"code.coding.where(system = '{rules.TASK}' and code = '{name}').exists()"
    return Kind("Task", name, profile=f"urn:commonweal:profile:{name}", matches=matches)


QUARANTINED, MATCH = KINDS = (_kind("quarantined-message"), _kind("match-review"))
URGENCY: Mapping[str, str] = {
    topic: priority
    for kind in KINDS
    for topic, priority in ((f"{kind.name}.due-soon", "urgent"), (f"{kind.name}.overdue", "asap"))
}
"""How urgent a duty has become by what is told of it."""


def _handled(kind: Kind) -> Workflow:
    soon, overdue = (topic for topic in URGENCY if topic.startswith(f"{kind.name}."))
    return Workflow(
        kind=kind.label,
        state="Task.status",
        moves=[
            Move(None, "requested", by=ADD),
            Move("requested", "accepted", by=RESOLVE),
            Move(
                "accepted", "completed", by=RESOLVE, when=rules.may_be_completed, topic=f"{kind.name}.closed"
            ),
            Move("accepted", "rejected", by=RESOLVE, when=rules.may_be_rejected, topic=f"{kind.name}.closed"),
        ],
        deadlines=[
            Deadline("requested", limit="quarantine_accept_seconds", breach=overdue, warning=soon),
            Deadline("accepted", limit="quarantine_resolve_seconds", breach=overdue, warning=soon),
        ],
    )


WORKFLOWS = tuple(map(_handled, KINDS))

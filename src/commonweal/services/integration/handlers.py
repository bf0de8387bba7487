"""What happens by itself: a duty that waits too long becomes more urgent."""

from commonweal.fhir import codec
from commonweal.platform import Notice, Work
from commonweal.services.integration import actions, rules
from commonweal.services.integration.workflow import URGENCY


async def raise_priority(work: Work, notice: Notice) -> None:
    """By the table of the workflow. What was closed in the meantime stays as it is."""
    task = codec.parse((await work.read("Task", notice.id)).body)
    if task["status"] not in ("requested", "accepted"):
        return
    until = task["restriction"]["period"]["end"]
    priority = rules.raised(task, URGENCY[notice.topic])
    await actions.escalate(work, notice.id, priority, f"{notice.topic}: {task['status']} until {until}")

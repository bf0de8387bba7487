"""What happens by itself: a duty that waits too long becomes more urgent; one number of two people is looked into."""

from commonweal.fhir import codec
from commonweal.platform import Notice, Work
from commonweal.services.integration import actions, queries, rules
from commonweal.services.integration.workflow import URGENCY


async def raise_priority(work: Work, notice: Notice) -> None:
    """By the table of the workflow. What was closed in the meantime stays as it is."""
    task = codec.parse((await work.read("Task", notice.id)).body)
    if task["status"] not in ("requested", "accepted"):
        return
    until = task["restriction"]["period"]["end"]
    priority = rules.raised(task, URGENCY[notice.topic])
    await actions.escalate(work, notice.id, priority, f"{notice.topic}: {task['status']} until {until}")


async def compare(work: Work, notice: Notice) -> None:
    """Somebody was registered with a number that others have; once, however often it is told."""
    provisional = codec.parse((await work.read("Patient", notice.id)).body)
    there = await queries.compared(work, notice.id)
    others = [link["other"]["reference"].removeprefix("Patient/") for link in provisional.get("link", [])]
    for other in (each for each in others if not there):
        await actions.review_match(work, notice.id, other, "two records have one number")

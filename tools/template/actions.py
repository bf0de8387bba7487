"""What people do: one verb, one permission, one transaction."""

from commonweal.fhir import codec
from commonweal.platform import Work
from commonweal.platform.ports import Stored
from commonweal.services.template_service.workflow import DUTY, TASK


async def ask_for(work: Work, description: str) -> Stored:
    """A new duty waits to be taken on."""
    duty = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": TASK, "code": DUTY.name}]},
        "description": description,
    }
    return await work.save(duty, because="a duty was asked for")


async def hurry(work: Work, id: str) -> None:
    """A duty that waits becomes urgent; nothing happens to one that is urgent already or no longer waits."""
    found = await work.read("Task", id)
    duty = codec.parse(found.body)
    if duty["status"] == "requested" and duty["priority"] == "routine":
        await work.save(duty | {"priority": "urgent"}, because="it waited too long", if_match=found.version)

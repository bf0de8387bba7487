"""What people do: one verb, one permission, one transaction."""

from commonweal.platform import Work
from commonweal.services.template_service.workflow import CODE


async def ask_for(work: Work, description: str) -> str:
    """A new duty waits to be taken on; its id."""
    duty = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": CODE, "code": "template-service"}]},
        "description": description,
    }
    return (await work.save(duty, because="a duty was asked for")).id

"""What we ask of the record."""

from commonweal.platform import Work
from commonweal.services.template_service.workflow import DUTY, TASK


async def open_duties(work: Work) -> int:
    """How many duties wait to be taken on."""
    return await work.count(f"Task?code={TASK}|{DUTY.name}&status=requested")

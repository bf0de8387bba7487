"""What we ask of the record."""

from commonweal.platform import Work
from commonweal.services.template_service.workflow import CODE


async def open_duties(work: Work) -> int:
    """How many duties wait to be taken on."""
    return await work.count(f"Task?code={CODE}|template-service&status=requested")

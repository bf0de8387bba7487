"""What happens by itself; a notice may be told twice, so each handler does nothing the second time."""

from commonweal.platform import Notice, Work
from commonweal.services.template_service import actions


async def hurry(work: Work, notice: Notice) -> None:
    """What nobody takes on becomes urgent."""
    await actions.hurry(work, notice.id)

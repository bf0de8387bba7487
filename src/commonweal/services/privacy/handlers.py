"""What happens by itself: a duty that waits too long becomes more urgent."""

from commonweal.platform import Notice, Work
from commonweal.services.privacy.actions import duties


async def raise_priority(work: Work, notice: Notice) -> None:
    """What was answered in the meantime stays as it is."""
    await duties.escalate(work, notice.id, notice.topic.endswith(".overdue"), notice.topic)

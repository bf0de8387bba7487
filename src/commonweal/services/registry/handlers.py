"""What happens by itself: a consent ends with its period."""

from commonweal.platform import Work
from commonweal.services.registry import actions, queries


async def end_consents(work: Work) -> None:
    """Consents whose period has ended are set inactive; whoever asks reads the period itself meanwhile."""
    for consent in await queries.ended_consents(work):
        await actions.end_consent(work, consent, because="its period has ended")

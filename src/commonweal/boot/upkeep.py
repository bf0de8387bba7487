"""What keeps identity in order by itself: a job of the background worker, done once an hour by one of them."""

from collections.abc import Awaitable, Callable

import structlog

from commonweal.identity.house import Identity
from commonweal.identity.oauth import keys

log = structlog.get_logger()
HOUR = 3600

Lease = Callable[[str, str, int], Awaitable[object | None]]
"""`Feed.lease`: a name, a holder and seconds; None when somebody else has it."""


class Upkeep:
    """Throws away what nobody can get any more, renews keys that have signed for long, and closes with the newest key
    what an older one closed (`reseal` does some of it and says how much)."""

    def __init__(
        self,
        identity: Identity,
        reseal: Callable[[], Awaitable[int]],
        lease: Lease,
        new_id: Callable[[], str],
    ) -> None:
        self._identity = identity
        self._reseal = reseal
        self._lease = lease
        self._new_id = new_id

    async def tick(self) -> bool:
        """Each round takes the lease under a name of its own and lets it run out; never more to do at once."""
        if await self._lease("upkeep:identity", self._new_id(), HOUR) is None:
            return False
        gone = await self._identity.drawers.expire()
        renewed = await keys.keep_fresh(self._identity)
        resealed = 0
        while some := await self._reseal():
            resealed += some
        log.info("identity kept in order", expired=gone, keys_renewed=renewed, resealed=resealed)
        return False

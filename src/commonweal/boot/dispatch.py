"""What happens by itself: notices to handlers in order, timers that fall due, and the sealing of the audit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from commonweal.access.agent import SYSTEM, Agent
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Feed
from commonweal.platform.service import Every, On, Service
from commonweal.platform.topic import Notice

log = structlog.get_logger()
BATCH = 1000
LEASE_SECONDS = 15
IDLE_SECONDS = 0.5
HOUR = 3600
KEPT_HOURS = 24
"""How long a notice that everyone has handled is kept, for live readers who catch up."""


def system_agent(service: str) -> Agent:
    """The platform acting by itself for a service."""
    return Agent(f"system:{service}", frozenset({SYSTEM}), "HOPERAT", name=service)


class Dispatcher:
    """Runs every reaction of the services; any number may run, each job is done by one of them at a time.

    `jobs` are done beside them, again and again; each says whether there is more to do at once.
    """

    def __init__(
        self, platform: Platform, feed: Feed, holder: str, jobs: Sequence[Callable[[], Awaitable[bool]]] = ()
    ) -> None:
        self._platform = platform
        self._feed = feed
        self._holder = holder
        self._jobs = jobs

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a job that fails is logged and tried again."""
        await asyncio.gather(*(self._repeat(job, stop) for job in self._all_jobs()))

    async def settle(self) -> None:
        """Every job in turn, until none finds anything left to do; for trials, where time is passed by hand."""
        jobs = self._all_jobs()
        while any([await job() for job in jobs]):
            continue

    def _all_jobs(self) -> list[Callable[[], Awaitable[bool]]]:
        return [self._timers, self._seal, *self._jobs, *self._reactions()]

    async def _repeat(self, job: Callable[[], Awaitable[bool]], stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                busy = await job()
            except Exception:
                log.exception("job failed", job=getattr(job, "__qualname__", str(job)))
                busy = False
            if not busy:
                await _wait(stop, IDLE_SECONDS)

    def _reactions(self) -> list[Callable[[], Awaitable[bool]]]:
        jobs: list[Callable[[], Awaitable[bool]]] = []
        for service in self._platform.catalogue.services:
            topics = [r for r in service.reacts if isinstance(r, On)]
            if topics:
                jobs.append(self._reader(service, topics))
            clocks = [r for r in service.reacts if isinstance(r, Every)]
            jobs += [self._clockwork(service, number, each) for number, each in enumerate(clocks)]
        return jobs

    def _reader(self, service: Service, topics: Sequence[On]) -> Callable[[], Awaitable[bool]]:
        names = sorted({reaction.topic for reaction in topics})

        async def read() -> bool:
            if await self._feed.lease(f"reader:{service.name}", self._holder, LEASE_SECONDS) is None:
                return False
            notices = await self._feed.notices(service.name, BATCH, names)
            if not notices:
                await self._feed.skip(service.name, names)
                return False
            handled: list[Notice] = []
            held: set[str] = set()
            for notice in notices:
                if notice.subject in held:
                    continue
                if await self._handle(service, topics, notice):
                    handled.append(notice)
                else:
                    held.add(notice.subject)
            await self._feed.done(service.name, handled, names)
            return bool(handled)

        return read

    async def _handle(self, service: Service, topics: Sequence[On], notice: Notice) -> bool:
        """Run the handlers of one notice, each in a work of its own. False: it will be tried again."""
        try:
            for reaction in topics:
                if reaction.topic == notice.topic:
                    async with self._platform.work(system_agent(service.name)) as work:
                        await reaction.run(work, notice)
        except Exception as error:
            log.exception("handler failed", service=service.name, topic=notice.topic, id=notice.id)
            if await self._feed.failed(service.name, notice, repr(error)):
                await self._open_task(service, notice, error)
            return False
        return True

    async def _open_task(self, service: Service, notice: Notice, error: Exception) -> None:
        """A parked notice is a duty of the operator: nothing is lost silently."""
        task = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "code": {"text": f"A notice of {notice.topic} could not be handled by {service.name}"},
            "description": f"Position {notice.position}: {error}"[:1000],
            "focus": {"reference": f"{notice.type}/{notice.id}"},
        }
        async with self._platform.work(system_agent(service.name)) as work:
            await work.save(task, because="a notice was parked after several tries")

    def _clockwork(self, service: Service, number: int, every: Every) -> Callable[[], Awaitable[bool]]:
        async def tick() -> bool:
            # Each round takes the lease under a name of its own and lets it run out: nobody can prolong it,
            # so that one process or another runs the next round when the interval has passed.
            round_ = self._platform.new_id()
            if await self._feed.lease(f"every:{service.name}:{number}", round_, every.seconds) is None:
                return False
            async with self._platform.work(system_agent(service.name)) as work:
                await every.run(work)
            return False

        return tick

    async def _timers(self) -> bool:
        return bool(await self._feed.due(BATCH))

    async def _seal(self) -> bool:
        if await self._feed.lease("seal", self._holder, LEASE_SECONDS) is None:
            return False
        sealed = await self._feed.seal()
        if sealed:
            # The log is the collector: kept elsewhere, it convicts a chain that was made anew as a whole.
            log.info("audit sealed", rows=sealed, head=await self._feed.head())
        return sealed >= BATCH

    async def _prune(self) -> bool:
        """Once an hour, by whoever gets the lease: notices that every reader has handled are forgotten."""
        if await self._feed.lease("prune", self._platform.new_id(), HOUR) is not None:
            await self._feed.prune(KEPT_HOURS * HOUR)
        return False


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return

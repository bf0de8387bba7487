"""Runs exports in the background: a moment at a time, under a lease, going on wherever one was left."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from commonweal.api.bulk.permitted import EXPORT
from commonweal.api.bulk.planning import steps
from commonweal.api.bulk.reading import Lines, Reading
from commonweal.api.bulk.shelf import Job, Order, Progress, Shelf
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Lease

Take = Callable[[str], Awaitable[Lease | None]]
Settled = Callable[[int], Awaitable[None]]

MOMENT = 1.0
"""Seconds that are given to one export before it is another's turn."""

log = structlog.get_logger("commonweal.export")


class Exporter:
    """`take` takes or prolongs a lease by its name; `settled` returns once whatever was begun at or before a time
    is committed or undone, so that nothing can still appear behind an export's back."""

    def __init__(
        self, platform: Platform, shelf: Shelf, take: Take, settled: Settled, moment: float = MOMENT
    ) -> None:
        self._platform = platform
        self._shelf = shelf
        self._take = take
        self._settled = settled
        self._moment = moment
        self._last = ""

    async def tick(self) -> bool:
        """Go on with one export for a moment; False when there is nothing to do."""
        self._shelf.sweep(await self._platform.store.now())
        waiting = [job for job in self._shelf.jobs() if job.progress().ended is None]
        for job in sorted(waiting, key=lambda job: (job.id <= self._last, job.id)):
            lease = await self._take(f"export:{job.id}")
            if lease is not None:
                self._last = job.id
                await self._go_on(job, lease)
                return True
        return False

    async def _go_on(self, job: Job, lease: Lease) -> None:
        order, progress = job.order(), job.progress()
        if order is None or progress.ended is not None:
            return
        progress.token = lease.token
        try:
            await self._run(job, order, progress)
        except FileNotFoundError:
            log.info("export cancelled", export=job.id)
        except Exception as error:
            if isinstance(error, Problem) and error.status in (409, 503):
                raise  # the same again will do
            log.exception("export failed", export=job.id)
            progress.failed = str(error) if isinstance(error, Problem) else "something went wrong on our side"
            await self._end(job, progress)

    async def _run(self, job: Job, order: Order, progress: Progress) -> None:
        decision = self._platform.catalogue.policy.has(order.asker, EXPORT)
        if not decision:
            raise Problem.forbidden(decision.reasons)
        if not progress.steps:
            await self._settled(order.at)
            progress.steps = sum(1 for _ in steps(order))
        reading = Reading(self._platform, order, progress)
        clock = asyncio.get_running_loop()
        until = clock.time() + self._moment
        while (lines := await reading.page(progress.cursor)) is not None:
            progress.cursor = lines.cursor
            progress.step += lines.cursor is None
            is_over = clock.time() >= until
            if lines.lines or is_over:
                await asyncio.to_thread(_keep, job, progress, lines)
            if is_over:
                return
        await self._finish(job, order, progress)

    async def _finish(self, job: Job, order: Order, progress: Progress) -> None:
        if order.remarks:
            job.append(progress, "error", "OperationOutcome", [codec.encode(each) for each in order.remarks])
        await self._end(job, progress)

    async def _end(self, job: Job, progress: Progress) -> None:
        progress.ended = await self._platform.store.now()
        job.keep(progress)


def _keep(job: Job, progress: Progress, lines: Lines) -> None:
    """Lines first, then what says that they are there."""
    if lines.lines and lines.step.deleted:
        job.append(progress, "deleted", "Bundle", lines.lines)
    elif lines.lines:
        job.append(progress, "output", lines.step.type, lines.lines)
    job.keep(progress)

"""The background worker: what happens by itself, run as a child of `commonweal serve` or as `commonweal worker`."""

import asyncio
import os
import signal
import socket
import time

from commonweal.api.bulk.running import Exporter
from commonweal.boot.assembly import Assembly, opened
from commonweal.boot.dispatch import LEASE_SECONDS, Dispatcher
from commonweal.boot.ids import new_id
from commonweal.boot.logs import set_up_logs
from commonweal.boot.processes import announce_ready, follow_parent
from commonweal.boot.settings import Settings
from commonweal.boot.upkeep import Upkeep
from commonweal.external.collector import Collector, outlet
from commonweal.external.notifying import Notifier
from commonweal.store.audit.shipping import PostgresShipping
from commonweal.store.beside.feed import PostgresFeed
from commonweal.store.beside.settled import settled
from commonweal.store.drawers import PostgresDrawers
from commonweal.store.reindexing.reindexer import SECONDS


async def work(settings: Settings) -> None:
    """Run every job until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings, migrate=False) as assembly:
        feed = PostgresFeed(assembly.store.pool, seal_key=assembly.secrets.seal)
        holder = f"{socket.gethostname()}:{os.getpid()}"
        exports = exporter(assembly, feed, holder)
        reindexer = assembly.store.reindexer(lambda name: feed.lease(name, holder, SECONDS))
        drawers = assembly.identity.drawers
        assert isinstance(drawers, PostgresDrawers)
        upkeep = Upkeep(assembly.identity, drawers.reseal, feed.lease, new_id)
        phones = Notifier(assembly.platform, feed, settings.phones, holder, time.monotonic)
        announce_ready()
        jobs = [exports.tick, reindexer.tick, upkeep.tick, phones.tick]
        if (where := outlet(settings.collector, settings.collector_key_file)) is not None:
            shipping = PostgresShipping(assembly.store.pool)
            jobs.append(
                Collector(shipping, where, lambda: feed.lease("collector", holder, LEASE_SECONDS)).tick
            )
        await Dispatcher(assembly.platform, feed, holder, jobs).run(stop)


def exporter(assembly: Assembly, feed: PostgresFeed, holder: str) -> Exporter:
    """What runs the exports of an installation, one process each at a time."""
    return Exporter(
        assembly.platform,
        assembly.settings.exports,
        lambda name: feed.lease(name, holder, LEASE_SECONDS),
        lambda time: settled(assembly.store.pool, time),
    )


def main() -> None:
    """The child process."""
    follow_parent()
    settings = Settings.read()
    set_up_logs(settings.log_level)
    asyncio.run(work(settings))


if __name__ == "__main__":
    main()

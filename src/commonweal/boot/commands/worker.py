"""`commonweal worker`: one more background worker, for installations of several machines."""

import asyncio

import click

from commonweal.boot import worker
from commonweal.boot.logs import set_up_logs
from commonweal.boot.settings import Settings


@click.command("worker")
@click.option("--data", help="Data folder of the installation.")
def command(data: str | None) -> None:
    """Run what happens by itself: notices to handlers, timers, clockwork, sealing of the audit."""
    settings = Settings.read(data=data)
    set_up_logs(settings.log_level)
    asyncio.run(worker.work(settings))

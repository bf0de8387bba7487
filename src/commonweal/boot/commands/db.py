"""`commonweal db …`: the database of an installation."""

import asyncio
import os
import socket

import click

from commonweal.boot.assembly import migrated, opened
from commonweal.boot.logs import set_up_logs
from commonweal.boot.settings import Settings
from commonweal.platform.status import Reindexing
from commonweal.store import embedded
from commonweal.store.beside.feed import PostgresFeed
from commonweal.store.reindexing.reindexer import SECONDS, Reindexer

PATIENCE = 2.0
"""Seconds between two words on how far it has come."""


@click.group("db")
def command() -> None:
    """The database: bring it up to date."""


@command.command("migrate")
@click.option("--data", help="Data folder of the installation.")
def migrate(data: str | None) -> None:
    """Bring the tables up to this version; serve and load do it by themselves."""
    applied = asyncio.run(_migrate(Settings.read(data=data)))
    click.echo("applied: " + ", ".join(applied) if applied else "the tables are up to date")


async def _migrate(settings: Settings) -> list[str]:
    async with embedded.open(settings.folder) as database:
        return await migrated(database.dsn(embedded.OWNER))


@command.command("reindex")
@click.option("--data", help="Data folder of the installation.")
@click.option("--type", "types", multiple=True, help="Look at every record of this type.")
@click.option("--all", "every", is_flag=True, help="Look at every record of every type.")
def reindex(data: str | None, types: tuple[str, ...], every: bool) -> None:
    """Finish indexing what was written before a search parameter came or changed; the worker of serve does it
    by itself. The platform may run meanwhile; stopped in the middle, the same command goes on where it was.
    """
    settings = Settings.read(data=data)
    set_up_logs(settings.log_level)
    asyncio.run(_reindex(settings, types, every))


async def _reindex(settings: Settings, types: tuple[str, ...], every: bool) -> None:
    async with opened(settings) as assembly:
        feed, holder = PostgresFeed(assembly.store.pool), f"{socket.gethostname()}:{os.getpid()}"
        reindexer = assembly.store.reindexer(lambda name: feed.lease(name, holder, SECONDS))
        if types or every:
            await reindexer.ask(None if every else types)
        await _finished(reindexer)
    click.echo("every record is found by every search parameter")


async def _finished(reindexer: Reindexer) -> None:
    """Do it, or wait for whoever does it."""
    clock = asyncio.get_running_loop()
    telling = clock.time() + PATIENCE
    while waiting := await reindexer.waiting():
        if clock.time() >= telling:
            click.echo(_told(waiting), err=True)
            telling = clock.time() + PATIENCE
        if not await reindexer.tick():
            await asyncio.sleep(0.5)


def _told(waiting: list[Reindexing]) -> str:
    first, *others = waiting
    more = f"; {len(others)} more types to come" if others else ""
    return f"{first.type}: {first.seen:,} seen, {first.changed:,} changed{more}"

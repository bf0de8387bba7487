"""`commonweal db …`: the database of an installation."""

import asyncio

import click

from commonweal.boot.assembly import migrated
from commonweal.boot.settings import Settings
from commonweal.store import embedded


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

"""`commonweal check`: is the record whole?"""

import asyncio
import sys

import asyncpg
import click

from commonweal.boot import discovery
from commonweal.boot.secrets import open_secrets
from commonweal.boot.settings import Settings
from commonweal.store import embedded
from commonweal.store.audit import seal
from commonweal.store.verify import CHAIN, verify


@click.command("check")
@click.option("--data", help="Data folder of the installation.")
@click.option(
    "--every", default=1, show_default=True, help="Recompute the index of every n-th resource only."
)
def command(data: str | None, every: int) -> None:
    """Verify versions, index, balances, outbox and the audit's hash chain; ends with code 1 if anything is wrong."""
    if not asyncio.run(_check(Settings.read(data=data), every)):
        sys.exit(1)


async def _check(settings: Settings, every: int) -> bool:
    secrets = open_secrets(settings.installation, settings.secrets_key_file)
    registry = discovery.catalogue(settings.bases).registry
    whole, verified = True, 0
    async with embedded.open(settings.folder) as database:
        connection = await asyncpg.connect(database.dsn(embedded.ADMIN))
        try:
            upto = await seal.sealed_upto(connection)
            async for check in verify(
                connection, secrets.index, registry, seal_key=secrets.seal, every=every
            ):
                click.echo(str(check))
                whole = whole and not check.wrong
                if check.name == CHAIN:
                    verified = check.wrong
            await seal.proven(connection, upto, verified)
        finally:
            await connection.close()
    click.echo("the record is whole" if whole else "the record is NOT whole")
    return whole

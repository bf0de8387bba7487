"""`commonweal keys`: the keys of this installation, how old they are, and new ones for old."""

import asyncio
import time
from pathlib import Path

import click

from commonweal.boot.assembly import opened
from commonweal.boot.secrets import RINGS, open_secrets, rotate, seal_all, unseal_all
from commonweal.boot.settings import Settings
from commonweal.boot.tokens import LONGEST_MINUTES
from commonweal.identity.oauth import keys

KEEP_SECONDS: dict[str, float | None] = {"tokens": LONGEST_MINUTES * 60.0, "drawers": None}
"""A key of tokens is of no use once its last token has ended; what is in a drawer may be as old as its key."""
DAY = 86_400
APPS = "apps"
"""Keys that sign what apps get are kept in the drawers, not in the folder of secrets."""


@click.group("keys")
def command() -> None:
    """Keys of tokens, of what apps get, and of what is kept encrypted."""


data_option = click.option("--data", help="Data folder of the installation.")
key_option = click.option(
    "--key-file",
    envvar="COMMONWEAL_SECRETS_KEY_FILE",
    default="",
    help="The key file that seals the secrets.",
)


@command.command("list")
@data_option
@key_option
def list_keys(data: str | None, key_file: str) -> None:
    """Ids and ages of the keys in use; never a key."""
    secrets = open_secrets(Settings.read(data=data).installation, key_file)
    for name, ring in (("tokens", secrets.tokens), ("drawers", secrets.drawers)):
        for number, key in enumerate(ring):
            days = int(time.time() - key.made) // DAY
            click.echo(
                f"{name}\t{key.id}\t{'in use' if number == 0 else 'opens older ones'}\t{days} days old"
            )


@command.command("rotate")
@click.argument("names", nargs=-1, type=click.Choice(sorted([*RINGS, APPS])))
@click.option(
    "--end-sessions", is_flag=True, help="Throw the older keys away: every token that they signed ends now."
)
@data_option
@key_option
def rotate_keys(names: tuple[str, ...], end_sessions: bool, data: str | None, key_file: str) -> None:
    """Put a new key first (everywhere when nothing is named); what the old ones closed can still be opened.

    A running platform uses the new key within seconds. What is kept encrypted is closed anew within an hour or two.
    """
    settings = Settings.read(data=data)
    open_secrets(settings.installation, key_file)
    for name in names or (*RINGS, APPS):
        if name == APPS:
            asyncio.run(_rotate_apps(settings, end_sessions))
            click.echo("apps: new keys sign what they get")
            continue
        keep = 0.0 if end_sessions and name == "tokens" else KEEP_SECONDS[name]
        click.echo(f"{name}: the new key is {rotate(settings.folder, name, key_file, keep).id}")


async def _rotate_apps(settings: Settings, at_once: bool) -> None:
    async with opened(settings) as assembly:
        await keys.rotate(assembly.identity, at_once=at_once)


@command.command("seal")
@click.option("--was", default="", help="The key file that seals them now, when another is to take over.")
@data_option
@key_option
def seal(was: str, data: str | None, key_file: str) -> None:
    """Encrypt the secrets with a key file; all commands then need it in COMMONWEAL_SECRETS_KEY_FILE."""
    count = seal_all(Settings.read(data=data).installation, _named(key_file), was)
    click.echo(f"{count} secrets sealed; set COMMONWEAL_SECRETS_KEY_FILE={Path(key_file).absolute()}")


@command.command("unseal")
@data_option
@key_option
def unseal(data: str | None, key_file: str) -> None:
    """Write the secrets plainly again; all commands must then be started without the key file."""
    count = unseal_all(Settings.read(data=data).installation, _named(key_file))
    click.echo(f"{count} secrets are no longer sealed")


def _named(key_file: str) -> str:
    if not key_file:
        raise click.UsageError("name the key file with --key-file or in COMMONWEAL_SECRETS_KEY_FILE")
    return key_file

"""`commonweal up`: everything for one person on one machine, with a link that signs in."""

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from commonweal.boot.commands.load import load_files
from commonweal.boot.commands.serve import run
from commonweal.boot.load.sources import find
from commonweal.boot.settings import Settings
from commonweal.boot.tokens import Tokens

HOURS = 12


@click.command("up")
@click.option("--data", help="Data folder; the embedded database lives there.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option(
    "--load", "paths", multiple=True, type=click.Path(path_type=Path), help="Load into a new installation."
)
def command(data: str | None, port: int | None, paths: tuple[Path, ...]) -> None:
    """Start everything and print where it is; Ctrl-C ends it.

    Files named with --load are loaded once, before the first start.
    """
    settings = Settings.read(data=data, port=port)
    if settings.log_level == "info":
        settings = replace(settings, log_level="warning")  # one person's terminal is no log
    loaded = settings.folder / "loads" / "first"
    if paths and not loaded.exists():
        click.echo("Loading the first records …", err=True)
        asyncio.run(load_files(settings, find(paths)))
        loaded.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        loaded.touch()
    run(settings, lambda address: _welcome(settings, address))


def _welcome(settings: Settings, address: str) -> None:
    """The code is behind '#', which a browser never sends to any server; the page posts it."""
    code = Tokens(settings.secrets.tokens).issue("operator", HOURS * 60)
    click.echo(f"Commonweal is ready at {address} (FHIR at {address}/fhir)")
    click.echo(f"Sign in as its operator, for the next {HOURS} hours: {address}/sign-in#code={code}")
    click.echo("Ctrl-C ends it.")

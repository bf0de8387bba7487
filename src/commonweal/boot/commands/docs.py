"""`commonweal docs`: writes the reference manual of this checkout from its code."""

from pathlib import Path

import click

from commonweal.boot import reference


@click.command("docs")
@click.option("--check", is_flag=True, help="Write nothing; fail when a page is not what it would be now.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("docs/reference"))
def command(check: bool, folder: Path) -> None:
    """Write the reference pages into FOLDER; run it at the top of a checkout."""
    if not check:
        reference.write(folder)
        return
    stale = list(reference.stale(folder))
    if stale:
        raise click.ClickException(f"run 'make docs'; not fresh: {', '.join(stale)}")

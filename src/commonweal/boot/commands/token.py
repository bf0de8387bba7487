"""`commonweal token`: a short-lived bearer token for scripts."""

import click

from commonweal.boot.secrets import open_secrets
from commonweal.boot.settings import Settings
from commonweal.boot.tokens import Tokens


@click.command("token")
@click.option("--data", help="Data folder of the installation.")
@click.option("--role", default="operator", show_default=True, help="Role the holder acts in.")
@click.option("--minutes", default=60, show_default=True, help="How long it is valid, at most a day.")
def command(data: str | None, role: str, minutes: int) -> None:
    """Print a bearer token; keep it out of URLs and logs."""
    settings = Settings.read(data=data)
    secrets = open_secrets(settings.installation, settings.secrets_key_file)
    click.echo(Tokens(secrets.tokens).issue(role, minutes))

"""The command `commonweal`: one verb each, errors of one sentence that say what to do."""

import sys
from importlib import import_module

import click

from commonweal.boot.processes import AddressInUse, ChildFailed
from commonweal.fhir.outcome import Problem
from commonweal.store.embedded import DatabaseUnavailable

VERBS = ("up", "serve", "worker", "load", "export", "token", "ask", "check", "keys", "user", "db", "docs")


class Verbs(click.Group):
    """Each verb is a file in `boot/commands`, imported when it is asked for, so that each starts fast."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command = import_module(f"commonweal.boot.commands.{name}").command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=Verbs)
@click.version_option(package_name="commonweal")
def commonweal() -> None:
    """One open record on which a whole region's health services work together."""


def main() -> None:
    """Runs the verb; what goes wrong is one sentence on standard error and exit code 1."""
    try:
        commonweal(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except (click.ClickException, click.Abort) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else "stopped"
        _fail(message, getattr(error, "exit_code", 1))
    except (Problem, ValueError, OSError, AddressInUse, ChildFailed, DatabaseUnavailable) as error:
        _fail(str(error), 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"commonweal: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()

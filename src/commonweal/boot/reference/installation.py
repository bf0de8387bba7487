"""What is said about an installation: its commands, its settings and what it is made of."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

import click

from commonweal.boot.cli import commonweal
from commonweal.boot.reference.markdown import block, code, page, table
from commonweal.boot.settings import PREFIX, sentences


def commands() -> str:
    """Every verb with its help, as the terminal prints it."""
    context = click.Context(commonweal, info_name="commonweal", terminal_width=100, max_content_width=100)
    parts = [text for name, command in _verbs(context, commonweal) for text in (f"## {name}", command)]
    return page("Commands", "The command `commonweal` and its verbs.", *parts)


def _verbs(context: click.Context, group: click.Group) -> Iterator[tuple[str, str]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name, terminal_width=100)
        yield inner.command_path, block("text", command.get_help(inner).splitlines())
        if isinstance(command, click.Group):
            yield from _verbs(inner, command)


def settings() -> str:
    """Every setting with its default."""
    rows = (
        (code(PREFIX + name.upper()), code(default), text) for name, (text, default) in sentences().items()
    )
    return page(
        "Settings",
        "Read once at start from the environment; the options of a command win over them.",
        table(["variable", "default", "what it says"], rows),
    )


def dependencies() -> str:
    """What runs beside our own code, by its licence."""
    return page(
        "Dependencies",
        "What an installation runs beside our own code; every version is pinned with its hashes.",
        "## Python",
        table(["package", "version", "licence"], _pinned(Path("requirements/run.lock"))),
        "## In the browser",
        table(["package", "version", "licence"], _npm(Path("package-lock.json"))),
    )


def _pinned(lock: Path) -> Iterator[tuple[str, str, str]]:
    for name, version in re.findall(r"^(\S+)==(\S+) ", lock.read_text("utf-8"), re.MULTILINE):
        yield name, version, licence(metadata(name))


def licence(about: PackageMetadata) -> str:
    """The licence as the package states it: expression, first line of its text, or classifiers."""
    classified = [
        c.rpartition(" :: ")[2] for c in about.get_all("Classifier", []) if c.startswith("License ::")
    ]
    said = (about.get_all(name, [""])[0] for name in ("License-Expression", "License"))
    return next((text.splitlines()[0] for text in (*said, ", ".join(classified)) if text), "not stated")


def _npm(lock: Path) -> list[tuple[str, str, str]]:
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    run = ((path, about) for path, about in packages.items() if path and not about.get("dev"))
    return [
        (path.removeprefix("node_modules/"), p["version"], p.get("license", "not stated")) for path, p in run
    ]

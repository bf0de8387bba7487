"""`commonweal load PATH…`: files of resources into an installation, or into a running server."""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx

from commonweal.access.agent import OPERATOR, Agent
from commonweal.boot.assembly import opened
from commonweal.boot.load.journal import Journal
from commonweal.boot.load.run import Load, Tally
from commonweal.boot.load.sinks import RecordSink, ServerSink, Sink
from commonweal.boot.load.sources import Source, find
from commonweal.boot.settings import Settings

LOADER = Agent("operator:load", frozenset({OPERATOR}), "HOPERAT", name="commonweal load")
QUARANTINED = 3


@click.command("load")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", help="Data folder of the installation.")
@click.option("--url", help="Base of a running server instead, such as http://127.0.0.1:8080/fhir.")
@click.option("--token", envvar="COMMONWEAL_TOKEN", help="Bearer token for --url (see: commonweal token).")
@click.option("--quarantine", type=click.Path(path_type=Path), help="File for what is wrong.")
def command(
    paths: tuple[Path, ...], data: str | None, url: str | None, token: str | None, quarantine: Path | None
) -> None:
    """Load NDJSON, Bundles and single resources: files and folders, plain, .gz, .xz, .zst or inside tar.

    What is wrong goes into the quarantine file with its place and reason; the rest is loaded. Stopped in
    the middle, the same command goes on where it was. Ends with code 3 when something was quarantined.
    """
    settings = Settings.read(data=data)
    sources = find(paths)
    if not sources:
        raise ValueError("there is nothing to load in " + ", ".join(str(p) for p in paths))
    tally = asyncio.run(load_files(settings, sources, url, token, quarantine))
    if tally.quarantined:
        sys.exit(QUARANTINED)


async def load_files(
    settings: Settings,
    sources: list[Source],
    url: str | None = None,
    token: str | None = None,
    quarantine: Path | None = None,
) -> Tally:
    """Load the files, telling progress; into the server at `url`, or else into the installation itself."""
    async with _sink(settings, url, token) as sink:
        home = settings.folder / "loads" if url is None else Path.home() / ".cache" / "commonweal" / "loads"
        journal = Journal(home, sources)
        faults = quarantine or home / f"quarantine-{datetime.now(UTC):%Y%m%dT%H%M%S}.ndjson"
        progress = Progress()
        load = Load(sink, journal, faults, progress.tell)
        try:
            tally = await load.run(sources)
        finally:
            journal.close()
            progress.end(load)
    return tally


@asynccontextmanager
async def _sink(settings: Settings, url: str | None, token: str | None) -> AsyncIterator[Sink]:
    if url is None:
        async with opened(settings) as assembly:
            gc.collect()
            gc.freeze()  # what was made by now stays for good: the collector need not look at it again and again
            yield RecordSink(assembly.platform, LOADER)
        return
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=url.rstrip("/") + "/", headers=headers, timeout=120) as client:
        try:
            yield ServerSink(client)
        except httpx.HTTPError as error:
            raise ValueError(f"{url} does not answer ({error or type(error).__name__}); try again") from error


class Progress:
    """A line of progress on standard error: rewritten in place on a terminal, else one every few seconds."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._last = 0.0
        self._terminal = sys.stderr.isatty()

    def tell(self, tally: Tally, name: str) -> None:
        now = time.monotonic()
        if now - self._last < (0.2 if self._terminal else 5):
            return
        self._last = now
        self._print(f"{self._line(tally)}  {name}", end="" if self._terminal else "\n")

    def end(self, load: Load) -> None:
        tally = load.tally
        if self._terminal:
            self._print("", end="")
        for type, count in sorted(tally.types.items()):
            click.echo(f"{type:<32}{count:>10,}")
        click.echo(self._line(tally))
        if tally.quarantined:
            click.echo(f"what was wrong, and why, is in {load.quarantine}")

    def _line(self, tally: Tally) -> str:
        seconds = max(time.monotonic() - self._start, 0.001)
        return (
            f"{tally.created:,} new, {tally.updated:,} versions, {tally.unchanged:,} unchanged, "
            f"{tally.quarantined:,} quarantined; {tally.settled / seconds:,.0f} a second"
        )

    def _print(self, text: str, end: str) -> None:
        click.echo(("\r\x1b[K" if self._terminal else "") + text + end, err=True, nl=False)

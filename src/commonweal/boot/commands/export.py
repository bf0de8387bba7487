"""`commonweal export OUT`: the record, or a part of it, as NDJSON files, one type each."""

import asyncio
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import click
import httpx

from commonweal import api
from commonweal.access.agent import OPERATOR, Agent
from commonweal.boot.assembly import Assembly, opened
from commonweal.boot.fetching import Content, Fetch
from commonweal.boot.settings import Settings
from commonweal.boot.worker import exporter
from commonweal.store.beside.feed import PostgresFeed

Json = dict[str, Any]
EXPORTER = Agent("operator:export", frozenset({OPERATOR}), "HOPERAT", name="commonweal export")
CHUNK = 1 << 20


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--data", help="Data folder of the installation.")
@click.option("--url", help="Base of a running server instead, such as http://127.0.0.1:8080/fhir.")
@click.option("--token", envvar="COMMONWEAL_TOKEN", help="Bearer token for --url (see: commonweal token).")
@click.option(
    "--type", "types", multiple=True, help="Only resources of this type; may be given several times."
)
@click.option(
    "--since", help="Only what has changed after this instant (the transactionTime of the last export)."
)
@click.option(
    "--patient", "patients", multiple=True, help="Only what is about this patient (an id); several times."
)
@click.option("--group", help="Only what is about the members of this group (an id).")
@click.option("--gzip", "packed", flag_value=".gz", default="", help="Pack the files with gzip.")
@click.option("--zstd", "packed", flag_value=".zst", help="Pack the files with zstd.")
def command(
    out: Path, data: str | None, url: str | None, token: str | None, types: tuple[str, ...], since: str | None,
    patients: tuple[str, ...], group: str | None, packed: str,
) -> None:  # fmt: skip
    """Write NDJSON into the folder OUT: Patient.ndjson, Observation.ndjson …, deleted.ndjson with --since, and
    manifest.json when all is there.

    A file has its name once it is whole. Stopped in the middle, the same command goes on where it was.
    """
    path = f"Group/{group}/$export" if group else "Patient/$export" if patients else "$export"
    settings = Settings.read(data=data)
    asyncio.run(export(settings, out, path, _parameters(types, since, patients), packed or "", url, token))


async def export(
    settings: Settings,
    out: Path,
    path: str,
    parameters: list[Json],
    packed: str,
    url: str | None,
    token: str | None,
) -> Counter[str]:
    """Export into the folder, telling progress; how many resources of each type."""
    progress = Progress()
    async with _served(url, token) if url else _own(settings) as (client, content):
        counts = await Fetch(client, content, out, packed, progress.tell).run(path, parameters)
    progress.end(counts)
    return counts


def _parameters(types: tuple[str, ...], since: str | None, patients: tuple[str, ...]) -> list[Json]:
    said: list[Json] = [{"name": "_type", "valueString": type} for type in types]
    if since:
        said.append({"name": "_since", "valueInstant": since})
    return said + [{"name": "patient", "valueReference": {"reference": f"Patient/{id}"}} for id in patients]


@asynccontextmanager
async def _served(url: str, token: str | None) -> AsyncIterator[tuple[httpx.AsyncClient, Content]]:
    """A running server."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=url.rstrip("/") + "/", headers=headers, timeout=120) as client:

        async def content(address: str) -> AsyncIterator[bytes]:
            async with client.stream("GET", address) as answer:
                if answer.status_code != 200:
                    raise ValueError(f"the server answered {answer.status_code} for {address}")
                async for chunk in answer.aiter_bytes(CHUNK):
                    yield chunk

        try:
            yield client, content
        except httpx.HTTPError as error:
            raise ValueError(f"{url} does not answer ({error or type(error).__name__}); try again") from error


@asynccontextmanager
async def _own(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Content]]:
    """This installation by its own interface, within this process; here or in its worker the export is run."""
    async with opened(settings) as assembly:
        shelf = settings.exports
        site = api.app(assembly.platform, _exporter, "http://localhost/fhir", exports=shelf)

        async def content(address: str) -> AsyncIterator[bytes]:
            id, name = address.rsplit("/", 2)[1:]
            job = shelf.find(id)
            size = next((p.size for p in job.progress().parts if p.name == name), 0) if job else 0
            with (shelf.folder / id / name).open("rb") as file:
                while size > 0 and (chunk := file.read(min(CHUNK, size))):
                    size -= len(chunk)
                    yield chunk

        running = asyncio.create_task(_run(assembly))
        transport = httpx.ASGITransport(site)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost/fhir/") as client:
                yield client, content
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def _run(assembly: Assembly) -> None:
    feed = PostgresFeed(assembly.store.pool)
    exports = exporter(assembly, feed, f"{socket.gethostname()}:{os.getpid()}")
    while True:
        if not await exports.tick():
            await asyncio.sleep(0.1)


async def _exporter(scope: object) -> Agent:
    return EXPORTER


class Progress:
    """What is under way, on standard error: in place on a terminal, else a line every few seconds."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._last = 0.0
        self._terminal = sys.stderr.isatty()

    def tell(self, what: str) -> None:
        now = time.monotonic()
        if now - self._last >= (0.2 if self._terminal else 5):
            self._last = now
            click.echo(f"\r\x1b[K{what}" if self._terminal else what, err=True, nl=not self._terminal)

    def end(self, counts: Counter[str]) -> None:
        if self._terminal:
            click.echo("\r\x1b[K", err=True, nl=False)
        seconds = max(time.monotonic() - self._start, 0.001)
        for type, count in sorted(counts.items()):
            click.echo(f"{type:<32}{count:>10,}")
        click.echo(f"{counts.total():,} written; {counts.total() / seconds:,.0f} a second")

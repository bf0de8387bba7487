"""`commonweal serve`: database, web workers and background worker, started and stopped together."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace

import click

from commonweal.boot import listening
from commonweal.boot.assembly import migrated
from commonweal.boot.processes import Child, listen, serve
from commonweal.boot.secrets import open_secrets
from commonweal.boot.settings import Settings
from commonweal.store import embedded


@click.command("serve")
@click.option("--data", help="Data folder; the embedded database lives there.")
@click.option("--host", help="Address to listen on (loopback only).")
@click.option("--port", type=int, help="Port to listen on; 0 lets the system choose.")
@click.option("--workers", type=click.IntRange(1, 64), help="Web worker processes.")
def command(data: str | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the FHIR interface at /fhir and the pages at /; one line tells when it is ready."""
    settings = Settings.read(data=data, host=host, port=port, workers=workers)
    run(settings, lambda address: click.echo(f"Commonweal is ready at {address} (FHIR at {address}/fhir)"))


def run(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; `on_ready` is given the address once requests are answered."""
    listening.check(settings.host, by_tls=False, proxies="", names=settings.base_url)
    asyncio.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[str], None]) -> None:
    embedded.prepare(settings.folder)
    open_secrets(settings.folder)
    with listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        async with embedded.open(settings.folder) as database:
            await migrated(database.dsn(embedded.OWNER))
            os.environ.update(replace(settings, port=port).environment())
            web = [
                Child(f"web worker {number}", "commonweal.boot.asgi", listener=listener)
                for number in range(1, settings.workers + 1)
            ]
            background = Child("background worker", "commonweal.boot.worker", stage=1)
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            tend = asyncio.create_task(database.tend())
            try:
                await serve([*web, background], on_ready=lambda: on_ready(address))
            finally:
                tend.cancel()

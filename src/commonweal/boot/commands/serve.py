"""`commonweal serve`: database, web workers and background worker, started and stopped together."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace

import click

from commonweal.boot import listening
from commonweal.boot.assembly import assembled, migrated
from commonweal.boot.processes import Child, listen, serve
from commonweal.boot.settings import Settings
from commonweal.identity.first import first_operator
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
    by_tls = settings.tls is not None
    names = settings.base_url or settings.allowed_hosts
    listening.check(settings.host, by_tls=by_tls, proxies=settings.trusted_proxies, names=names)
    _ = settings.guard, settings.secrets  # what is wrong with them is told before anything starts
    asyncio.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[str], object]) -> None:
    embedded.prepare(settings.folder)
    with listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        async with embedded.open(settings.folder) as database:
            await migrated(database.dsn(embedded.OWNER))
            settings = replace(settings, port=port)
            first = await _first(settings, database.dsn())
            os.environ.update(settings.environment())
            web = [
                Child(f"web worker {number}", "commonweal.boot.asgi", listener=listener)
                for number in range(1, settings.workers + 1)
            ]
            background = Child("background worker", "commonweal.boot.worker", stage=1)
            address = replace(settings, host=host, base_url="").address

            def ready() -> None:
                on_ready(address)
                _tell(first)

            tend = asyncio.create_task(database.tend())
            try:
                await serve([*web, background], on_ready=ready)
            finally:
                tend.cancel()


async def _first(settings: Settings, dsn: str) -> tuple[str, str] | None:
    """Login and password of the first account, when this installation has none yet."""
    async with assembled(settings, dsn) as assembly:
        return await first_operator(assembly.identity)


def _tell(first: tuple[str, str] | None) -> None:
    """On standard error: what starts us reads the address on standard output."""
    if first is not None:
        login, password = first
        click.echo(f"Its first account is {login}, with the password {password} (shown this once).", err=True)

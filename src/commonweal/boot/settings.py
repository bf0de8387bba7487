"""Every setting of the platform: one dataclass, read from COMMONWEAL_* once, here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from commonweal.api.bulk.shelf import Shelf
from commonweal.boot import listening
from commonweal.boot.front import Guard, settled
from commonweal.boot.secrets import Secrets, open_secrets
from commonweal.external.sms import Line, line
from commonweal.store import embedded

PREFIX = "COMMONWEAL_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults run a laptop. Each is set in the environment as COMMONWEAL_ and its name in capitals."""

    data: Annotated[
        str,
        "folder of the database, secrets and exports; empty: .data here, or where the database can reach it",
    ] = ""
    database_url: Annotated[str, "a PostgreSQL of your own; the embedded one is not started then"] = ""
    host: Annotated[str, "address to listen on; only loopback until TLS or a trusted proxy is set up"] = (
        "127.0.0.1"
    )
    port: Annotated[int, "port of the web server"] = 8080
    workers: Annotated[int, "web worker processes"] = 1
    base_url: Annotated[str, "address at which others reach this server, without /fhir; empty: as asked"] = ""
    tls_certificate: Annotated[str, "PEM file of the certificate and its chain, to speak TLS ourselves"] = ""
    tls_key: Annotated[str, "PEM file of the certificate's key, readable by nobody else"] = ""
    trusted_proxies: Annotated[
        str, "addresses or networks of proxies whose X-Forwarded-For and -Proto count"
    ] = ""
    allowed_hosts: Annotated[str, "further names under which we answer, beside base_url's; * for any"] = ""
    rate_address: Annotated[int, "requests a second from one address, in each worker; 0: no limit"] = 200
    rate_agent: Annotated[int, "requests a second of one agent, in each worker; 0: no limit"] = 100
    open_address: Annotated[int, "requests of one address that may be open at a time; 0: no limit"] = 1000
    secrets_key_file: Annotated[str, "file whose content opens the sealed secrets; kept elsewhere"] = ""
    sms_gateway: Annotated[str, "address of the gateway for messages to phones; empty: a file in data"] = ""
    sms_template: Annotated[str, "JSON file that says how the gateway is asked"] = ""
    sms_header_file: Annotated[str, "file with the header that the gateway knows us by"] = ""
    collector: Annotated[str, "where the sealed audit is sent: https://… or file:/folder; empty: nowhere"] = (
        ""
    )
    collector_key_file: Annotated[str, "file with the key that signs what is sent there"] = ""
    connections: Annotated[int, "database connections of each process; two a core serve best"] = 4
    search_seconds: Annotated[int, "a search that takes longer is refused as too costly"] = 20
    body_megabytes: Annotated[int, "largest request body"] = 50
    export_hours: Annotated[int, "the files of an export stay this long once it is complete"] = 24
    export_poll_seconds: Annotated[int, "an export's status asked for much more often is refused"] = 1
    language: Annotated[str, "language of pages where the browser asks for none we have"] = "en"
    log_level: Annotated[str, "debug, info, warning or error"] = "info"

    @property
    def folder(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data).absolute() if self.data else embedded.default_data_dir()

    @property
    def address(self) -> str:
        """Where others reach this server: as set, else where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            self.base_url.rstrip("/") or f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"
        )

    @property
    def tls(self) -> listening.Tls | None:
        """The certificate to speak TLS with, if any; ValueError when it cannot be used."""
        return listening.tls(self.tls_certificate, self.tls_key)

    @property
    def guard(self) -> Guard:
        """What the front asks of every request; ValueError for a proxy that is no address."""
        return settled(
            base_url=self.base_url,
            allowed_hosts=self.allowed_hosts,
            trusted_proxies=self.trusted_proxies,
            rate_address=self.rate_address,
            rate_agent=self.rate_agent,
            open_address=self.open_address,
        )

    @property
    def phones(self) -> Line:
        """The way to phones; ValueError when the gateway's files are not what they should be."""
        return line(self.folder, self.sms_gateway, self.sms_template, self.sms_header_file)

    @property
    def secrets(self) -> Secrets:
        """Those of the data folder, made at the first start; ValueError when they are sealed and nothing opens them."""
        return open_secrets(self.folder, self.secrets_key_file)

    @property
    def exports(self) -> Shelf:
        """Where exports are kept."""
        keep, patience = timedelta(hours=self.export_hours), timedelta(seconds=self.export_poll_seconds)
        return Shelf(self.folder / "exports", keep, patience)

    @property
    def bases(self) -> tuple[str, ...]:
        """Our own FHIR address, where it is set: references below it are to what is here."""
        return (self.base_url.rstrip("/") + "/fhir",) if self.base_url else ()

    @property
    def installation(self) -> Path:
        """The data folder of what is installed already; ValueError when there is nothing in it."""
        if not (self.folder / "secrets").is_dir():
            start = f"commonweal serve --data {self.folder}"
            raise ValueError(f"there is no installation in {self.folder}; start one with: {start}")
        return self.folder

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **given: object) -> "Settings":
        """Given values (None: not given), else the environment's, else the defaults.

        ValueError names the setting that is not what it should be.
        """
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        for each in fields(cls):
            text = environment.get(PREFIX + each.name.upper())
            if text is not None and each.name not in values:
                values[each.name] = _parsed(each.name, text)
        return replace(cls(), **values)

    def environment(self) -> dict[str, str]:
        """The same settings as environment variables, for child processes."""
        return {PREFIX + f.name.upper(): str(getattr(self, f.name)) for f in fields(self)}


def _parsed(name: str, text: str) -> object:
    if get_type_hints(Settings)[name] is not int:
        return text
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{PREFIX}{name.upper()} must be a whole number, not {text!r}") from None


def sentences() -> dict[str, tuple[str, object]]:
    """Each setting's sentence and default, for the manual."""
    hints = get_type_hints(Settings, include_extras=True)
    return {f.name: (get_args(hints[f.name])[1], f.default) for f in fields(Settings)}

"""Every setting of the platform: one dataclass, read from COMMONWEAL_* once, here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from commonweal.api.bulk.shelf import Shelf
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
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"

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

"""Finds the services: every folder of `commonweal.services` with a manifest, and what its definitions hold."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import yaml

import commonweal.services
from commonweal.access.permission import Permission
from commonweal.access.roles import (
    AUDITOR,
    BACKEND,
    CLINICIAN,
    COMMUNITY_WORKER,
    EPIDEMIOLOGIST,
    OFFICER,
    OPERATOR,
    PHARMACIST,
    PRIVACY_OFFICER,
    REGISTRAR,
    RESIDENT,
)
from commonweal.identity.permissions import PERMISSIONS
from commonweal.platform.catalogue import Catalogue, Definitions, Edition
from commonweal.platform.service import Service

READS = ("*.read", "*.search", "*.history")
READERS = (
    OPERATOR, RESIDENT, CLINICIAN, PHARMACIST, REGISTRAR, COMMUNITY_WORKER, OFFICER, EPIDEMIOLOGIST,
)  # fmt: skip
RECORD = (
    Permission("record.read", "Read and search everything", (OPERATOR,), READS),
    Permission("record.open", "Open the pages of the record, each as far as one may read it", READERS),
    Permission("record.write", "Write any resource", (OPERATOR,), ("*.create", "*.update", "*.delete")),
    Permission("record.import", "Bring in history with its source, unjudged", (OPERATOR,)),
    Permission("record.export", "Export in bulk what one may read", (OPERATOR, BACKEND), app="r"),
    Permission("record.validate", "Ask whether a resource is valid", (OPERATOR,), ("*/$validate",)),
    Permission(
        "audit.read", "See who did what to whose record, and why", (OPERATOR, AUDITOR, PRIVACY_OFFICER)
    ),
)
"""What the record itself allows, whatever services are there."""


@cache
def services() -> tuple[Service, ...]:
    """Every service found, in menu order; adding a folder adds it, deleting the folder removes it."""
    found = [import_module(f"{name}.manifest").service for name in _folders()]
    return tuple(sorted(found, key=lambda s: (s.menu_order, s.name)))


@cache
def catalogue(bases: tuple[str, ...] = ()) -> Catalogue:
    """The catalogue of all services; ValueError when two of them disagree. `bases`: our own FHIR addresses."""
    known = {s.name: definitions(s.name) for s in services()}
    return Catalogue(services(), known, (*RECORD, *PERMISSIONS), bases)


def folder(service: str) -> Path:
    """The folder of a service by its name."""
    (root,) = commonweal.services.__path__
    return Path(root) / service


def definitions(service: str) -> Definitions:
    """What `definitions/` of a service holds; ValueError names the file that cannot be read."""
    resources: list[dict[str, Any]] = []
    parameters: dict[str, tuple[Edition, ...]] = {}
    for path in sorted((folder(service) / "definitions").glob("*")):
        content = _load(path)
        if path.name == "parameters.yaml":
            parameters = {name: tuple(_editions(name, rows)) for name, rows in content.items()}
        elif content is not None:
            resources.append(content)
    return Definitions(resources, parameters)


def _folders() -> Iterator[str]:
    for module in iter_modules(commonweal.services.__path__, "commonweal.services."):
        if module.ispkg and (folder(module.name.rpartition(".")[2]) / "manifest.py").is_file():
            yield module.name


def _load(path: Path) -> Any:
    readers: dict[str, Callable[[str], Any]] = {".yaml": yaml.safe_load, ".json": json.loads}
    reader = readers.get(path.suffix)
    if reader is None:
        return None
    try:
        return reader(path.read_text("utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name} of this service cannot be read: {error}") from error


def _editions(name: str, rows: list[dict[str, Any]]) -> Iterator[Edition]:
    for row in rows:
        since = row["from"]
        if not isinstance(since, date):
            raise ValueError(f"parameter {name}: 'from' must be a date")
        start = datetime(since.year, since.month, since.day, tzinfo=UTC)
        yield Edition(row["value"], start, row["source"], row.get("where"))

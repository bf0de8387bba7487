"""Every import contract has been seen to break: each forbidden import, planted in a copy, is objected to."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src/commonweal"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in CONTRACTS}
ENGINES = ("asyncpg", "granian", "httpx", "jinja2", "socket", "starlette", "subprocess", "threading")
WORLD = (
    "asyncio",
    "multiprocessing",
    "secrets",
    "shutil",
    "signal",
    "sqlite3",
    "tempfile",
    "uvicorn",
    "uvloop",
)
CLOCK_AND_DICE = ("os", "random", "time")
ROOMS = ("manifest", "pages", "api", "handlers", "actions", "queries", "workflow", "rules")


@dataclass(frozen=True)
class Plant:
    """A module that imports what it must not, and the contract that must say so."""

    contract: str
    importer: str
    imported: str

    @property
    def says(self) -> str:
        """What the linter prints of it."""
        if self.contract == "cycles":
            return " -> ".join(f".{name.rpartition('.')[2]}" for name in (self.importer, self.imported))
        return f"{self.importer} -> {self.imported}"


def _floors() -> list[Plant]:
    pairs = [
        ("fhir.planted", "access"),
        ("access.planted", "platform"),
        ("platform.planted", "store.planted_aim"),
        ("platform.planted", "identity.planted_aim"),
        ("identity.planted", "web"),
        ("identity.planted", "store.planted_aim"),
        ("api.planted", "web"),
        ("api.planted", "services"),
        ("web.planted", "api"),
        ("store.planted", "api"),
        ("external.planted", "store.planted_aim"),
        ("services.alpha.rules", "boot"),
    ]
    return [Plant("floors", a, b) for a, b in pairs]


def _rooms() -> list[Plant]:
    """Each room imports the one above it, and the doors import each other."""
    upwards = [
        ("rules", "workflow"),
        ("workflow", "queries"),
        ("queries", "actions"),
        ("actions", "handlers"),
    ]
    upwards += [("handlers", "manifest"), ("pages", "api"), ("api", "handlers")]
    return [Plant("rooms", f"services.alpha.{a}", f"services.alpha.{b}") for a, b in upwards]


def _forbidden(contract: str, importers: tuple[str, ...], modules: tuple[str, ...]) -> list[Plant]:
    return [Plant(contract, importer, module) for importer in importers for module in modules]


PLANTS = [
    *_floors(),
    *_rooms(),
    Plant("neighbours", "services.alpha.rules", "services.beta.rules"),
    *_forbidden(
        "thinkers",
        (
            "fhir.planted",
            "access.planted",
            "platform.planted",
            "services.alpha.rules",
            "services.alpha.workflow",
        ),
        ENGINES + CLOCK_AND_DICE + WORLD,
    ),
    *_forbidden(
        "doers",
        ("services.alpha.queries", "services.alpha.actions", "services.alpha.handlers"),
        ENGINES + CLOCK_AND_DICE,
    ),
    Plant("doers", "services.alpha.queries", "api"),
    Plant("doers", "services.alpha.handlers", "web"),
    Plant("machines", "services.alpha.pages", "api"),
    Plant("people", "services.alpha.api", "web"),
    Plant("engines", "services.alpha.pages", "store.planted_aim"),
    Plant("engines", "services.alpha.api", "external"),
    Plant("engines", "web.planted", "store.planted_aim"),
    Plant("identity", "services.alpha.pages", "identity.planted_aim"),
    Plant("identity", "services.alpha.handlers", "identity.planted_aim"),
    Plant("manifests", "web.planted", "services.alpha.manifest"),
    Plant("manifests", "services.beta.manifest", "services.alpha.manifest"),
    Plant("cycles", "access.planted_there", "access.planted_back"),
]


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says, by contract, of a copy with every plant in it."""
    source = tmp_path_factory.mktemp("planted")
    package = _copy(source)
    for service in ("alpha", "beta"):
        for room in ROOMS:
            _write(package / "services" / service / f"{room}.py", "")
    _write(package / "store/planted_aim.py", "")
    _write(package / "identity/planted_aim.py", "")
    _write(package / "access/planted_back.py", "from commonweal.access import planted_there")
    _write(package / "services/alpha/helpers.py", "")
    _write(package / "attic/__init__.py", "")
    for plant in PLANTS:
        _plant(package, plant)
    return _sections(_lint(source))


def _copy(source: Path) -> Path:
    leave = shutil.ignore_patterns("__pycache__", "static", "types", "tests", "definitions")
    package = Path(shutil.copytree(PACKAGE, source / "commonweal", ignore=leave))
    shutil.copy(ROOT / "pyproject.toml", source)
    return package


def _plant(package: Path, plant: Plant) -> None:
    path = package / (plant.importer.replace(".", "/") + ".py")
    name = plant.imported if _is_outside(plant.imported) else f"commonweal.{plant.imported}"
    text = path.read_text("utf-8") if path.is_file() else ""
    _write(path, f"{text}import {name}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, path.parent.parent):
        (folder / "__init__.py").touch()
    path.write_text(text, "utf-8")


def _is_outside(module: str) -> bool:
    return not (PACKAGE / module.partition(".")[0]).is_dir()


def _lint(source: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200"}
    run = subprocess.run(command, cwd=source, capture_output=True, text=True, env=environment, timeout=300)
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stdout


def _sections(said: str) -> dict[str, str]:
    """The part of the report below each contract's underlined name."""
    parts = re.split(r"^(.+)\n-{5,}\n", said.partition("Broken contracts")[2], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("contract", NAMES)
def test_every_contract_has_been_seen_to_break(contract: str, linted: dict[str, str]) -> None:
    assert NAMES[contract] in linted


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.contract}: {plant.says}")
def test_the_linter_objects_to(plant: Plant, linted: dict[str, str]) -> None:
    short = linted[NAMES[plant.contract]].replace("commonweal.", "")
    assert re.search(rf"{re.escape(plant.says)}\b", short)


def test_a_room_by_any_other_name_is_refused(linted: dict[str, str]) -> None:
    assert "helpers" in linted[NAMES["rooms"]]


def test_a_new_floor_must_be_declared(linted: dict[str, str]) -> None:
    assert "attic" in linted[NAMES["floors"]]

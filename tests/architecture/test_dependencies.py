"""What we stand on is declared, pinned without addresses, and under licences that let others build on us."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from commonweal.boot.reference import installation
from tools import frontend

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OURS = {"commonweal", "tools", "tests", "bench"}
PERMISSIVE = re.compile(
    r"MIT|Apache|BSD|ISC|0BSD|PSF|Python Software Foundation|MPL|Mozilla|CNRI|Unlicense|Zlib"
)


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ]", text)[0].lower().replace("_", "-") for text in requirements}


def _imported(folder: str) -> Iterator[tuple[str, Path]]:
    """The top names of everything imported below a folder, with one file that does."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0], path


def _undeclared(imports: Iterator[tuple[str, Path]], declared: set[str]) -> dict[str, Path]:
    packages = packages_distributions()
    return {
        name: path
        for name, path in imports
        if not _is_ours(name, path) and not declared & _names(list(packages.get(name, [name])))
    }


def _is_ours(name: str, path: Path) -> bool:
    """Of the language, of this repository, or a neighbour of a script."""
    return name in sys.stdlib_module_names | OURS or path.with_name(f"{name}.py").is_file()


def test_whatever_runs_is_declared() -> None:
    tests = ("tests", "conftest.py")
    running = ((name, path) for name, path in _imported("src/commonweal") if not set(tests) & set(path.parts))
    assert not _undeclared(running, _names(PROJECT["dependencies"]))


def test_whatever_tests_and_tools_need_is_declared() -> None:
    declared = _names(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    for folder in ("tests", "tools", "bench"):
        assert not _undeclared(_imported(folder), declared)


def test_whatever_is_declared_is_pinned() -> None:
    pinned = {
        lock.name: _names(re.findall(r"^\S+(?===)", lock.read_text("utf-8"), re.MULTILINE)) for lock in LOCKS
    }
    assert _names(PROJECT["dependencies"]) <= pinned["run.lock"] & pinned["dev.lock"]
    assert _names(PROJECT["optional-dependencies"]["dev"]) <= pinned["dev.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_hold_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert not re.search(r"https?:|file:/|^-", text, re.MULTILINE)
    pins = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert pins and all("--hash=sha256:" in pin for pin in pins)


def test_an_address_in_the_lock_of_npm_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frontend.check()
    lock = {
        "packages": {
            "node_modules/planted": {
                "version": "1",
                **dict.fromkeys(["resolved"], "https://registry.example"),
            }
        }
    }
    (tmp_path / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    monkeypatch.setattr(frontend, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="planted"):
        frontend.check()


def test_every_licence_lets_others_build_on_us() -> None:
    rows = re.findall(r"^\| (\S+) \| \d\S* \| (.+) \|$", installation.dependencies(), re.MULTILINE)
    assert rows
    assert not [row for row in rows if not PERMISSIVE.search(row[1])]


def test_what_is_installed_fits_together() -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout

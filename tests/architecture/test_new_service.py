"""Adding a service is adding a folder: it passes every check, is found, and leaves no trace when deleted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.new_service import create

ROOT = Path(__file__).resolve().parents[2]
NAME = "eye-care"
MANUAL = "from commonweal.boot.reference import declared as d; print(d.kinds(), d.workflows(), d.rules(), d.numbers())"
FOUND = "from commonweal.boot.discovery import catalogue; print([s.name for s in catalogue().services])"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with one more service in it."""
    house = tmp_path_factory.mktemp("house")
    leave = shutil.ignore_patterns("__pycache__", "built")
    shutil.copytree(ROOT / "src/commonweal", house / "src/commonweal", ignore=leave)
    shutil.copytree(ROOT / "tools", house / "tools", ignore=leave)
    for name in ("pyproject.toml", "conftest.py", "README.md"):
        shutil.copy(ROOT / name, house)
    create(NAME, house / "src/commonweal/services")
    return house


def _run(house: Path, *command: str) -> str:
    """What a tool says in the copy; it must not object."""
    environment = {**os.environ, "PYTHONPATH": str(house / "src")}
    tool = str(Path(sys.executable).with_name(command[0]))
    run = subprocess.run(
        [tool, *command[1:]], cwd=house, capture_output=True, text=True, env=environment, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_its_style_is_right(copy: Path) -> None:
    _run(copy, "ruff", "check", "src/commonweal/services/eye_care")
    _run(copy, "ruff", "format", "--check", "src/commonweal/services/eye_care")


def test_its_types_are_right(copy: Path) -> None:
    _run(copy, "mypy", "-p", "commonweal.services.eye_care")


def test_it_keeps_the_contracts(copy: Path) -> None:
    said = _run(copy, "lint-imports", "--no-cache", "--no-logo")
    assert "0 broken" in said


def test_its_own_tests_pass(copy: Path) -> None:
    said = _run(copy, "pytest", "-p", "no:cacheprovider", "src/commonweal/services/eye_care")
    assert " passed" in said.splitlines()[-1]


def test_the_manual_tells_of_it(copy: Path) -> None:
    said = _run(copy, "python", "-c", MANUAL)
    assert "| Task: eye-care-duty | Eye care |" in said
    assert "s1 --> s2: eye_care.do" in said
    assert "| nobody's | no | yes | nobody owns it |" in said
    assert "| `eye_care_seconds` | Eye care | 86400 | 2026-01-01 |" in said


def test_it_is_found_and_gone_when_its_folder_is_deleted(copy: Path, tmp_path: Path) -> None:
    assert "eye_care" in _run(copy, "python", "-c", FOUND)
    service = copy / "src/commonweal/services/eye_care"
    shutil.move(service, tmp_path)
    assert "eye_care" not in _run(copy, "python", "-c", FOUND)
    shutil.move(tmp_path / "eye_care", service)


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="small letters"):
        create("Eye Care", tmp_path)


def test_a_service_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "eye_care").mkdir()
    with pytest.raises(ValueError, match="already"):
        create(NAME, tmp_path)

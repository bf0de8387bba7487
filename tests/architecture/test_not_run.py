"""A test that could not run is counted at the end of a run, and fails it in CI."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ONE_OF_EACH = '''"""One test that runs and one that cannot."""

import pytest


def test_that_runs():
    assert True


def test_without_its_browser():
    pytest.skip("NOT RUN: there is no browser here")
'''


def _run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text("utf-8"), "utf-8")
    (folder / "test_two.py").write_text(ONE_OF_EACH, "utf-8")
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)


def test_what_was_not_run_is_counted_with_its_reason(tmp_path: Path) -> None:
    run = _run(tmp_path, ci="")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "NOT RUN: 1" in run.stdout
    assert "1 × there is no browser here" in run.stdout
    assert "1 passed, 1 skipped" in run.stdout.splitlines()[-1]


def test_ci_fails_when_anything_was_not_run(tmp_path: Path) -> None:
    assert _run(tmp_path, ci="true").returncode == 1

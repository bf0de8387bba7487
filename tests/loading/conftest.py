"""A data folder that the database's own account can reach, also when the tests run as root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """An empty folder for one installation and the files of its tests."""
    path = Path(tempfile.mkdtemp(prefix="commonweal-loading-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

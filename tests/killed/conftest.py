"""A data folder that the database's own account can reach, also when the tests run as root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data() -> Iterator[Path]:
    """An empty place for one platform's data."""
    home = Path(tempfile.mkdtemp(prefix="commonweal-killed-"))
    home.chmod(0o755)
    try:
        yield home / "data"
    finally:
        shutil.rmtree(home, ignore_errors=True)

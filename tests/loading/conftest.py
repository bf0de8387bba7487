"""A data folder that the database's own account can reach, also when the tests run as root."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def home(reachable: Path) -> Path:
    """An empty folder for one installation and the files of its tests."""
    return reachable

"""A data folder of its own for each test's platform."""

from pathlib import Path

import pytest


@pytest.fixture
def data(reachable: Path, request: pytest.FixtureRequest) -> Path:
    """An empty place for one platform's data."""
    return reachable / request.node.name.translate({ord(each): "-" for each in "[]"})

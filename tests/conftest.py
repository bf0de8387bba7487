"""What every test may ask for."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Open data beside the checkout; large official files are read from there and never shipped."""
    if not SHARED_DATA.is_dir():
        pytest.skip("NOT RUN: the open data folder is not beside this checkout")
    return SHARED_DATA

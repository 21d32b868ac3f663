"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real cohorts; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SURVKIT_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no folder of real cohorts: set SURVKIT_SHARED_DATA to run this test")
    return folder

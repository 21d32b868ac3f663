"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Helpers beside the tests assert too; what a failing assertion compared is told for them as well.
pytest.register_assert_rewrite("tests.core", "tests.docs", "tests.integration")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real cohorts; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SURVKIT_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no folder of real cohorts: set SURVKIT_SHARED_DATA to run this test")
    return folder

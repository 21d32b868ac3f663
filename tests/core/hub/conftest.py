"""A model in a folder, and a Hub on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures
from tests.hub_server.small_model import save_small_model


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """Return the folder of an untrained vector model of mixed precision."""
    return save_small_model(tmp_path / "model", mixed=True)

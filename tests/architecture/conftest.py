"""What the architecture tests look at: the source of every distribution in this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> dict[str, Path]:
    """Return every shipped module: path relative to the source folder, and where it is."""
    found = {
        str(path.relative_to(source)): path
        for source in sorted(ROOT.glob("survkit-*/src"))
        for path in sorted(source.rglob("*.py"))
    }
    assert found, "no source found: were the folders renamed?"
    return found

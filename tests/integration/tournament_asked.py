"""A small tournament as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from survkit.cli import main

FILE: dict[str, Any] = {
    "title": "Heads and a ridge",
    "base": "recipe.yaml",
    "set": ["training.validation=0.3"],
    "vary": {"head": ["cox", "deephit"]},
    "compositions": {
        "ridge": {
            "recipe": {
                "baseline": {"use": "ridge-cox", "penalty": 1.0},
                "inputs": ["clinical"],
                "outcome": {"horizon": 300},
            }
        }
    },
}
SHORT = "--cohort cohort.yaml --folds 2 --replicates 20 --permutations 199 --quiet"
LINE = f"tournament t.yaml --out t {SHORT}"


def content(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "tournament.json").read_text())
    return found


def refused(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one sentence with which a command is refused."""
    assert main(line.split()) == 2
    return capsys.readouterr().err

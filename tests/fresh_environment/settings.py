"""Environment variables of processes beside this one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_OURS = ("SURVKIT_", "HF_", "HUGGINGFACE_", "PYTHON", "PIP_")
"""Beginnings of the variables that a stranger would not have."""


def strangers_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process that anybody would have, and the settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "MPLBACKEND": "Agg", **settings}


def hub_settings(url: str, home: Path) -> dict[str, str]:
    """Return what makes a process know no other Hub, as hf_good, with a cache of its own."""
    return {
        "HF_ENDPOINT": url, "HF_HOME": str(home / "hub"), "HF_TOKEN": "hf_good",
        "HF_HUB_DISABLE_XET": "1", "SURVKIT_CACHE": str(home / "prepared"),
    }  # fmt: skip

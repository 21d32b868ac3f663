"""What is said about the trained weights that a run started from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def words_of(text: str | None) -> list[str]:
    """Return the words of a list separated by commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def print_starts(starts: Mapping[str, Any]) -> None:
    """Print a line per fold; one for all where they started alike."""
    from survkit.transfer.part_fit import sentence

    said = {name: sentence(facts) for name, facts in starts.items()}
    if len(set(said.values())) == 1:
        print(next(iter(said.values())))
        return
    for name, text in said.items():
        print(f"{name}: {text}")

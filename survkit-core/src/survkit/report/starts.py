"""The trained weights that a run started from, as its folds say."""

from __future__ import annotations

import re
from pathlib import Path

from survkit.report.documents import read_facts
from survkit.transfer.part_fit import sentence


def read_starts(run: Path) -> tuple[str, ...]:
    """Return a sentence per fold, one for all that started alike; none where none did.

    Raises:
        RunError: A ``training.json`` is damaged.
    """
    said: dict[str, str] = {}
    for folder in sorted(
        run.glob("fold-*"), key=lambda one: [*map(int, re.findall(r"\d+", one.name))]
    ):
        facts = read_facts(folder / "training.json")
        if facts is not None and "init" in facts:
            said[folder.name] = sentence(facts["init"])
    if len(set(said.values())) == 1:
        return (next(iter(said.values())),)
    return tuple(f"{name}: {text}" for name, text in said.items())


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.name)]

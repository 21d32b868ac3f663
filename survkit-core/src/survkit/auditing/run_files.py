"""What a run folder of survkit says about itself, file by file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.errors import RunError
from survkit.report.run_facts import modalities_read
from survkit.safe_yaml import read_yaml

PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldFiles:
    """The folder of one fold.

    Attributes:
        folder: It.
        repeat: Number of the repeat, as text.
        fold: Number of the fold, as text.
        training: Content of ``training.json``; empty where there is none.
        config: Content of ``config.json``; empty where there is no model.
        choice: Content of ``choice.json``; empty where nothing was searched.
    """

    folder: Path
    repeat: str
    fold: str
    training: Mapping[str, Any]
    config: Mapping[str, Any]
    choice: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """The files of a run; what is absent is empty.

    Attributes:
        folder: The run.
        run: Content of ``run.json``.
        cohort: Content of ``cohort.yaml``, the declaration it was trained with.
        metrics: Content of ``metrics.json``.
        folds: In the order of repeats and folds.
    """

    folder: Path
    run: Mapping[str, Any]
    cohort: Mapping[str, Any]
    metrics: Mapping[str, Any]
    folds: tuple[FoldFiles, ...]

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The resolved recipe."""
        found = self.run.get("recipe")
        return found if isinstance(found, dict) else {}

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that the model is given."""
        return modalities_read(self.recipe)


def read_run_files(folder: Path) -> RunFiles:
    """Read what is there.

    Raises:
        RunError: A file is there and damaged.
    """
    cohort_file = folder / "cohort.yaml"
    cohort = read_yaml(cohort_file) if cohort_file.is_file() else {}
    return RunFiles(
        folder=folder,
        run=_json(folder / "run.json"),
        cohort=cohort if isinstance(cohort, dict) else {},
        metrics=_json(folder / "metrics.json"),
        folds=tuple(_fold(one) for one in sorted(folder.glob("fold-*"), key=_numbers)),
    )


def _numbers(folder: Path) -> tuple[int, int]:
    """Return repeat and fold of ``fold-2`` or ``fold-1-2``."""
    try:
        numbers = [int(word) for word in folder.name.split("-")[1:]]
    except ValueError as error:
        raise RunError(f"{folder}: not a fold of a run; remove it to audit the run") from error
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _fold(folder: Path) -> FoldFiles:
    repeat, fold = _numbers(folder)
    return FoldFiles(
        folder=folder,
        repeat=str(repeat),
        fold=str(fold),
        training=_json(folder / "training.json"),
        config=_json(folder / "config.json"),
        choice=_json(folder / "choice.json"),
    )


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged, so the run cannot be audited: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged, so the run cannot be audited: no keys and values")
    return content

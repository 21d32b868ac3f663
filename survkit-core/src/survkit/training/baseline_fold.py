"""One fold of a baseline: fitted, asked, forgotten; only what it predicted is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survkit.atomic_write import write_bytes
from survkit.baselines import BaselineTask, fit_baseline
from survkit.data import Fold, FoldRows
from survkit.training.baseline_preflight import baseline_rows
from survkit.training.candidates import candidates
from survkit.training.fold_predictions import as_table
from survkit.training.search import CHOICE_FILE

if TYPE_CHECKING:
    from survkit.training.cross_validate import Work


def run_baseline_fold(
    work: Work, fold: Fold, rows: FoldRows, folder: Path, predictions: str
) -> dict[str, Any]:
    """Fit on training and validation subjects together, predict the test subjects, write the table.

    A baseline chooses by an inner cross-validation, so nobody need be set aside. Nothing is
    pickled: there is no model to load afterwards.

    Returns:
        What was chosen, without the scores, which are in the file of the fold; empty where nothing
        was to choose.
    """
    settings, recipe = work.settings, work.recipe
    choice_file = folder / CHOICE_FILE
    if settings.resume and (folder / predictions).is_file():
        done: dict[str, Any] = {}
        if choice_file.is_file():
            done = json.loads(choice_file.read_text(encoding="utf-8"))
        return _without_scores(done)
    test = rows.test.tolist()
    task = BaselineTask(
        cohort=work.cohort,
        train=baseline_rows(rows),
        test=rows.test.numpy(),
        candidates=candidates(recipe),
        seed=(recipe.training.seed, fold.repeat, fold.fold),
        registry=settings.components(),
        progress=settings.progress and settings.jobs == 1,
    )
    prediction, choice = fit_baseline(task)
    folder.mkdir(parents=True, exist_ok=True)
    if choice:
        write_bytes(choice_file, (json.dumps(choice, indent=1) + "\n").encode())
    table = as_table(prediction, recipe, work.cohort, fold, test, work.splits.sha256)
    table.write(folder / predictions)
    return _without_scores(choice)


def _without_scores(choice: dict[str, Any]) -> dict[str, Any]:
    """Leave the scores of a whole path of penalties to the file of the fold."""
    return {key: value for key, value in choice.items() if key != "scores"}

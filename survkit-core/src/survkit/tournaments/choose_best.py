"""The procedure "train all, take the best", evaluated as one: it chooses inside training parts.

The best of many in a table of test results is too good, because the same subjects chose it and
measured it. Here each fold's choice is made before its test subjects are looked at, and what the
chosen compositions predicted for them is evaluated as the predictions of one model.

Reference: Varma and Simon (2006), BMC Bioinformatics 7:91; Cawley and Talbot (2010), J. Mach.
Learn. Res. 11:2079.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from survkit.data import Splits
from survkit.errors import RunError
from survkit.evaluation import Evaluation, Predictions, evaluate
from survkit.evaluation.predictions import concatenate
from survkit.evaluation.training_file import TRAINING_FILE
from survkit.tournaments.tournament_file import CHOSEN
from survkit.training.cross_validate import FOLD_PREDICTIONS, fold_folder

_COPIED = (TRAINING_FILE, "splits.json", "cohort.yaml")


def choose(scores: Mapping[str, Mapping[str, Any]], folds: list[str]) -> dict[str, Any]:
    """Return by outer fold which composition had the best inner score, and all scores.

    Of equal ones the first wins. No test result enters.

    Args:
        scores: By composition, by fold: ``score``, ``None`` where training diverged.
        folds: Names of the outer folds.

    Raises:
        RunError: Nobody has a score in a fold.
    """
    found = {}
    for fold in folds:
        own = {name: of_folds[fold]["score"] for name, of_folds in scores.items()}
        known = {name: score for name, score in own.items() if score is not None}
        if not known:
            raise RunError(f"{fold}: every composition diverged, so none can be chosen")
        best = max(known, key=lambda name: known[name])  # the first of equal ones
        found[fold] = {"chosen": best, "scores": own}
    return found


def evaluate_chosen(
    choices: Mapping[str, Any], splits: Splits, place: Path, *, replicates: int
) -> Evaluation:
    """Write the folder of the chosen compositions' predictions with its numbers.

    Args:
        choices: As :func:`choose` returns them.
        splits: The outer division.
        place: Folder of the tournament.
        replicates: Bootstrap resamples of the intervals.
    """
    parts = []
    for fold in splits.folds:
        name = fold_folder(Path(), splits, fold).name
        run = place / choices[name]["chosen"]
        table = Predictions.read(fold_folder(run, splits, fold) / FOLD_PREDICTIONS)
        parts.append(replace(table, model=CHOSEN))
    home = place / CHOSEN
    home.mkdir(exist_ok=True)
    for name in _COPIED:
        if (run / name).is_file():
            shutil.copyfile(run / name, home / name)
    concatenate(parts).write(home / "predictions.parquet")
    found = evaluate(home, replicates=replicates)
    found.write(home / "metrics.json")
    return found

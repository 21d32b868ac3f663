"""A finished cross-validation, opened to be predicted again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from survkit.data import Cohort, Fold, Splits
from survkit.errors import DataError, RunError
from survkit.evaluation import Predictions
from survkit.evaluation.read_run import PREDICTIONS_FILE, read_run
from survkit.hub import load_model
from survkit.hub.address import is_on_hub
from survkit.hub.fitted_model import FittedModel
from survkit.prediction import SurvivalPrediction
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training.cross_validate import fold_folder

INCIDENCE_TOLERANCE = 1e-4
SCORE_TOLERANCE = 1e-3
"""Share of the spread of a fold's scores. Another processor rounds otherwise; other images differ
by more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPart:
    """One fold of the run.

    Attributes:
        name: Its folder's name.
        fitted: Its model.
        table: What the run says about its test subjects.
        rows: Those subjects as positions in the cohort, in the order of the table.
    """

    name: str
    fitted: FittedModel
    table: Predictions
    rows: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """A run folder and the cohort it was made from.

    Attributes:
        folder: The run.
        table: Its out-of-fold predictions.
        splits: Its folds.
        recipe: What was trained.
        cohort: Read with its outcome, with a name for every encoder of the recipe.
        registry: Where components are looked up.
        purpose: Who asks for its models, for messages.
    """

    folder: Path
    table: Predictions
    splits: Splits
    recipe: Recipe
    cohort: Cohort
    registry: Registry
    purpose: str = "a stress test"

    def folds(self) -> Iterator[FoldPart]:
        """Yield the folds with their models, one at a time: models may be large."""
        for fold in self.splits.folds:
            yield self.fold(fold)

    def fold(self, fold: Fold) -> FoldPart:
        """Load one fold.

        Raises:
            RunError: Its model is not there.
            DataError: What the cohort says happened is not what the run says.
        """
        folder = fold_folder(self.folder, self.splits, fold)
        if not (folder / "config.json").is_file():
            raise RunError(
                f"{folder}: no model is there; {self.purpose} predicts again with the model of "
                "each fold, which a baseline and a run that was cut off do not keep"
            )
        own = (self.table.repeat == fold.repeat) & (self.table.fold == fold.fold)
        table = self.table.select(own)
        place = {name: row for row, name in enumerate(self.cohort.subjects)}
        rows = [place[str(name)] for name in table.subject if str(name) in place]
        if sorted(table.subject.tolist()) != sorted(fold.test) or len(rows) < len(table):
            raise RunError(
                f"{self.folder / PREDICTIONS_FILE}: the subjects of {folder.name} are not those "
                "of splits.json; the files are of different runs"
            )
        self._check_outcome(table, rows)
        fitted = load_model(folder, registry=self.registry)
        return FoldPart(name=folder.name, fitted=fitted, table=table, rows=rows)

    def _check_outcome(self, table: Predictions, rows: list[int]) -> None:
        target = self.cohort.target(rows)
        same = (target.duration.numpy() == table.duration) & (target.event.numpy() == table.event)
        if not same.all():
            subject = table.subject[int(np.flatnonzero(~same)[0])]
            raise DataError(
                f"{self.cohort.source}: duration or event of subject '{subject}' is not what "
                f"{self.folder / PREDICTIONS_FILE} says ({int((~same).sum())} such subjects); give "
                "the cohort that the run was made from"
            )


def open_run(
    run: str | Path, cohort: Cohort, registry: Registry, *, purpose: str = "a stress test"
) -> RunParts:
    """Open a run of ``survkit cv``; ``purpose`` says in messages who asks for its models.

    Raises:
        RunError: It is none, or has not finished.
        DataError: The cohort has other subjects.
    """
    folder = Path(run)
    for name in (PREDICTIONS_FILE, "splits.json", "recipe.yaml"):
        if not (folder / name).is_file():
            model = (folder / "config.json").is_file() or is_on_hub(str(folder))
            raise RunError(
                f"{folder}: no {name} is there; {purpose} needs a finished run of survkit cv, "
                "whose folds have held their test subjects out"
                + (". A model by itself, on the Hub or in a folder, has not" if model else "")
            )
    recipe = Recipe.read(folder / "recipe.yaml")
    return RunParts(
        folder=folder,
        table=read_run(folder),
        splits=Splits.read(folder / "splits.json", subjects=cohort.subjects),
        recipe=recipe,
        cohort=cohort.with_twins(recipe.twins),
        registry=registry,
        purpose=purpose,
    )


def as_table(prediction: SurvivalPrediction, like: Predictions, model: str) -> Predictions:
    """Return a prediction as rows of the run's table: same subjects, times and horizon."""
    causes = range(1, len(like.causes) + 1)
    scores = [prediction.risk_score(like.horizon, cause).double().numpy() for cause in causes]
    times = like.time_grid.tolist()
    incidence = prediction.cumulative_incidence(times).double().numpy()
    return replace(
        like, cumulative_incidence=incidence, risk_score=np.stack(scores, axis=1), model=model
    )


def check_reproduced(again: Predictions, part: FoldPart, run: Path) -> None:
    """Refuse to go on where the fold's model does not predict what the run says it predicted.

    Raises:
        DataError: The largest difference is beyond rounding: other images, tables or settings.
    """
    was, now = np.asarray(part.table.cumulative_incidence), np.asarray(again.cumulative_incidence)
    incidence = np.abs(now - was).max(axis=(1, 2))
    spread = part.table.risk_score.std(axis=0)
    score = np.abs(again.risk_score - part.table.risk_score)
    near = (incidence <= INCIDENCE_TOLERANCE) & (score <= SCORE_TOLERANCE * spread + 1e-6).all(1)
    wrong = ~near  # also where something is no number
    if wrong.any():
        row = _worst(incidence, score)
        raise DataError(
            f"{run / PREDICTIONS_FILE}: the model of {part.name} now predicts a risk score of "
            f"{again.risk_score[row, 0]:.4g} for subject '{part.table.subject[row]}', but "
            f"{part.table.risk_score[row, 0]:.4g} when the run was made ({int(wrong.sum())} such "
            "subjects); give the cohort and data it was made from, unchanged"
        )


def _worst(incidence: NDArray[np.float64], score: NDArray[np.float64]) -> int:
    return int(np.argmax(incidence + score.sum(axis=1)))

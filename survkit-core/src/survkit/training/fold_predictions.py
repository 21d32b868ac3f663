"""What a fold's model predicts for its test subjects, as rows of the out-of-fold table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data import Cohort, Fold
from survkit.evaluation import Predictions
from survkit.hub.fitted_model import FittedModel
from survkit.prediction import SurvivalPrediction
from survkit.recipe import Recipe
from survkit.training.attention_file import (
    ATTENTION_FILE,
    TOKEN_FILE,
    write_attention,
    write_token_attention,
)
from survkit.training.attention_watch import attention_watched
from survkit.training.fit_outcome import evaluation_times

if TYPE_CHECKING:
    from survkit.training.fit_part import Part


def predict_fold(
    fitted: FittedModel, part: Part, fold: Fold, rows: list[int], *, attention: Path | None = None
) -> Predictions:
    """Return predictions of the test subjects with what happened to them.

    Args:
        fitted: The model of the fold.
        part: What it was trained on.
        fold: Whose test subjects they are.
        rows: Their positions in the cohort.
        attention: Folder for the files of attention weights, written where a component attends.
    """
    cohort, recipe = part.cohort, part.recipe
    with attention_watched(fitted.members) as watch:
        prediction = fitted.predict(
            cohort, rows, micro_batch=recipe.training.micro_batch, cache=part.cache
        )
    if attention is not None:
        names = [cohort.subjects[row] for row in rows]
        kinds = {name: spec.kind for name, spec in fitted.description.inputs.items()}
        write_attention(attention / ATTENTION_FILE, watch.weights(), fold, names)
        write_token_attention(attention / TOKEN_FILE, watch.tokens(), kinds, fold, names)
    return as_table(prediction, recipe, cohort, fold, rows, part.splits_hash)


def as_table(
    prediction: SurvivalPrediction,
    recipe: Recipe,
    cohort: Cohort,
    fold: Fold,
    rows: list[int],
    splits_hash: str,
) -> Predictions:
    """Return a prediction of the test subjects as rows, whatever made it."""
    times = evaluation_times(recipe)
    causes = range(1, len(cohort.causes) + 1)
    scores = [prediction.risk_score(recipe.outcome.horizon, cause).double() for cause in causes]
    target = cohort.target(rows)
    return Predictions(
        subject=np.array([cohort.subjects[row] for row in rows]),
        repeat=np.full(len(rows), fold.repeat, dtype=np.int64),
        fold=np.full(len(rows), fold.fold, dtype=np.int64),
        duration=target.duration.numpy(),
        event=target.event.numpy(),
        causes=cohort.causes,
        time_unit=cohort.time_unit,
        horizon=recipe.outcome.horizon,
        time_grid=times.numpy(),
        cumulative_incidence=prediction.cumulative_incidence(times).double().numpy(),
        risk_score=torch.stack(scores, dim=1).numpy(),
        model=recipe.title or untitled(recipe),
        splits_hash=splits_hash,
        seed=recipe.training.seed,
        entry=None if target.entry is None else target.entry.numpy(),
        weight=None if target.weight is None else target.weight.numpy(),
        site=_of_rows(cohort.site, rows),
        strata=None if target.strata is None else target.strata.numpy(),
        group=_of_rows(cohort.group, rows),
    )


def _of_rows(names: Sequence[str] | None, rows: Sequence[int]) -> NDArray[np.str_] | None:
    return None if names is None else np.array([names[row] for row in rows])


def untitled(recipe: Recipe) -> str:
    """Name a model without a title after what it reads and how it ends."""
    last = recipe.head or recipe.baseline
    assert last is not None  # a recipe has either
    return f"{' + '.join(recipe.modalities)}, {last.use}"

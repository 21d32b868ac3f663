"""Brier scores of a part, each fold weighted by the censoring of its own training subjects.

In a cross-validation table the training subjects of a fold are the subjects of all other folds of
the same repeat, so the table itself holds them. The censoring model is estimated anew in every
bootstrap replicate (training= subjects, which the table does not hold, are taken as given).

Reference: Graf et al. (1999); for a cause among several Schoop et al. (2011).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Floats
from survkit.metrics.estimate import Undefined
from survkit.metrics.ipcw import check_training, squared_errors, weighted_errors

Values = Tensor | Undefined


def brier_at_horizon(part: Part) -> Values:
    """Brier score at the horizon."""
    scores = _brier(part, np.array([part.predictions.horizon]))
    return scores if isinstance(scores, Undefined) else scores[:, 0]


def integrated_brier(part: Part) -> Values:
    """Brier score averaged over the time grid by the trapezoidal rule."""
    grid = part.predictions.time_grid
    if len(grid) < 2:
        return part.undefined("an average over time needs a time grid of at least two times")
    scores = _brier(part, grid)
    if isinstance(scores, Undefined):
        return scores
    average: Tensor = torch.trapezoid(scores, torch.from_numpy(grid), dim=1) / (grid[-1] - grid[0])
    return average


def _brier(part: Part, times: Floats) -> Values:
    """Brier scores at times; (replicate, time)."""
    if part.predictions.entry is not None:
        return part.undefined("weights for censoring are not defined here with delayed entry")
    total = part.scored.new_zeros(len(part.counts), len(times))
    for fold in part.folds():
        scores = _of_fold(fold, times)
        if isinstance(scores, Undefined):
            return part.undefined(scores.reason)
        weight = fold.scored.sum(dim=1, keepdim=True)
        total = total + torch.where(weight > 0, weight * scores, 0.0)
    mean: Tensor = total / part.scored.sum(dim=1, keepdim=True)
    if not bool(mean[0].isfinite().all()):
        return part.undefined(
            "the training subjects of a fold are all censored, or their follow-up ends, before "
            "times that its test subjects are asked about, so no weight exists there"
        )
    return mean


def _of_fold(fold: Part, times: Floats) -> Values:
    """Brier scores of one fold; (replicate, time)."""
    table, rows = fold.predictions, fold.training_rows()
    if len(rows):
        training, drawn = table.target(rows), fold.counts[:, torch.from_numpy(rows)]
    elif fold.training is not None:
        training = fold.training
        drawn = fold.counts.new_ones(len(fold.counts), len(training.duration))
    else:
        return fold.undefined(
            "the table has one fold, so it does not hold the training subjects from whom the "
            "censoring is estimated; give them as training="
        )
    incidence = torch.from_numpy(table.select(fold.rows).incidence_at(times)[:, fold.cause - 1])
    target = fold.target
    errors = squared_errors(incidence, times.tolist(), target, fold.cause)
    return weighted_errors(errors, target, check_training(training), (fold.drawn, drawn), "before")

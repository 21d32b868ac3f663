"""Brier scores of a part, each fold weighted by the censoring of its own training subjects.

In a cross-validation table the training subjects of a fold are the subjects of all other folds of
the same repeat, so the table itself holds them. The censoring model is estimated anew in every
bootstrap replicate.

Reference: Graf et al. (1999); for a cause among several Schoop et al. (2011).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.censoring import censoring_survival_replicates

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


def _brier(part: Part, times: np.ndarray) -> Values:
    """Brier scores at times; (replicate, time)."""
    if part.predictions.entry is not None:
        return part.undefined("weights for censoring are not defined here with delayed entry")
    total: Tensor | float = 0.0
    for fold in part.folds():
        summed = _weighted_squares(fold, torch.from_numpy(times))
        if isinstance(summed, Undefined):
            return part.undefined(summed.reason)
        total = total + summed
    scores = torch.as_tensor(total) / part.scored.sum(dim=1, keepdim=True)
    if not bool(scores[0].isfinite().all()):
        return part.undefined(
            "the censoring model gives weight to no one: all training subjects of a fold are "
            "censored before times that its test subjects are asked about"
        )
    return scores


def _weighted_squares(fold: Part, times: Tensor) -> Values:
    """Sum over the subjects of one fold of weight x squared error; (replicate, time)."""
    target, weights = fold.target, fold.scored
    censoring = _censoring(fold)
    if isinstance(censoring, Undefined):
        return censoring
    knots, survival = censoring
    start = torch.cat([survival.new_ones(len(survival), 1), survival], dim=1)
    before_own = start[:, torch.searchsorted(knots, target.duration)]
    at_times = start[:, torch.searchsorted(knots, times, right=True)]
    predicted = torch.from_numpy(
        fold.predictions.select(fold.rows).incidence_at(times.numpy())[:, fold.cause - 1]
    )
    by_then = target.duration[:, None] <= times
    happened = (by_then & (target.event[:, None] == fold.cause)).double()
    squares = (happened - predicted) ** 2
    known = squares * (by_then & (target.event[:, None] > 0))
    # A weight of 0 over G = 0 is nothing; anything else over G = 0 makes the replicate NaN.
    gone = _over(weights * (known.sum(dim=1) > 0), before_own) @ known
    free = _over(weights @ (squares * ~by_then), at_times)
    return gone + free


def _censoring(fold: Part) -> tuple[Tensor, Tensor] | Undefined:
    """Times and G of the training subjects of the fold; (grid), (replicate, grid)."""
    table, rows = fold.predictions, fold.training_rows()
    if len(rows):
        drawn = fold.counts[:, torch.from_numpy(rows)]
        return censoring_survival_replicates(table.target(rows), drawn)
    if fold.training is None:
        return fold.undefined(
            "the table has one fold, so it does not hold the training subjects from whom the "
            "censoring is estimated; give them as training="
        )
    counts = fold.counts.new_ones(1, len(fold.training.duration))
    knots, survival = censoring_survival_replicates(fold.training, counts)
    return knots, survival.expand(len(fold.counts), -1)


def _over(top: Tensor, bottom: Tensor) -> Tensor:
    return torch.where(top > 0, torch.where(bottom > 0, top / bottom, torch.nan), 0.0)

"""Brier scores of a part, each fold weighted by the censoring of its own training subjects.

In a cross-validation table the training subjects of a fold are the subjects of all other folds of
the same repeat, so the table itself holds them. The censoring model is estimated anew in every
bootstrap replicate (training= subjects, which the table does not hold, are taken as given).

A scaled score is 1 - score / score of the curve of each fold's training subjects, both scores
pooled over folds (and averaged over time) before they are divided.

Reference: Graf et al. (1999); for a cause among several Schoop et al. (2011); scaled: Kattan and
Gerds (2018).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from survkit.evaluation.part import NO_PROBABILITIES, Part
from survkit.evaluation.shown_times import shown_columns
from survkit.metrics.estimate import Undefined
from survkit.metrics.ipcw import check_training, squared_errors, weighted_errors
from survkit.nonparametric.incidence_replicates import incidence_replicates

Values = Tensor | Undefined

NO_WEIGHT = (
    "the training subjects of a fold are all censored, or their follow-up ends, before times that "
    "its test subjects are asked about, so no weight exists there"
)
_NO_ERROR = "the curve of the training subjects predicts without error: nothing to scale"


def brier_at_horizon(part: Part) -> Values:
    """Brier score at the horizon."""
    return _at_horizon(part, _brier(part))


def integrated_brier(part: Part) -> Values:
    """Brier score averaged over the time grid by the trapezoidal rule."""
    return _averaged(part, _brier(part))


def scaled_brier_at_horizon(part: Part) -> Values:
    """Scaled Brier score at the horizon."""
    return _scaled(part, _at_horizon(part, _brier(part)), _at_horizon(part, _of_curve(part)))


def integrated_scaled_brier(part: Part) -> Values:
    """Scaled integrated Brier score."""
    return _scaled(part, _averaged(part, _brier(part)), _averaged(part, _of_curve(part)))


def brier_over_time(part: Part) -> Values:
    """Brier score at up to twelve times of the grid; (replicate, time), NaN where undefined."""
    scores = _brier(part)
    return scores if isinstance(scores, Undefined) else scores[:, shown_columns(part.predictions)]


def _at_horizon(part: Part, scores: Values) -> Values:
    if isinstance(scores, Undefined):
        return scores
    at = scores[:, -1]
    return at if bool(at[0].isfinite()) else part.undefined(NO_WEIGHT)


def _averaged(part: Part, scores: Values) -> Values:
    if isinstance(scores, Undefined):
        return scores
    grid = torch.from_numpy(part.predictions.time_grid)
    if len(grid) < 2:
        return part.undefined("an average over time needs a time grid of at least two times")
    if not bool(scores[0].isfinite().all()):
        return part.undefined(NO_WEIGHT)
    average: Tensor = torch.trapezoid(scores, grid, dim=1) / (grid[-1] - grid[0])
    return average


def _scaled(part: Part, score: Values, of_curve: Values) -> Values:
    if isinstance(score, Undefined):
        return score
    if isinstance(of_curve, Undefined):
        return of_curve
    if not bool(of_curve[0] > 0):
        return part.undefined(_NO_ERROR)
    known = of_curve > 0
    return torch.where(known, 1 - score / torch.where(known, of_curve, 1.0), torch.nan)


def _brier(part: Part) -> Values:
    """Brier scores of the predictions over the grid; (replicate, grid)."""
    return part.once("brier", lambda: _over_folds(part, of_curve=False))


def _of_curve(part: Part) -> Values:
    """Brier scores of each fold's training curve over the grid; (replicate, grid)."""
    return part.once("brier of curve", lambda: _over_folds(part, of_curve=True))


def _over_folds(part: Part, *, of_curve: bool) -> Values:
    """Mean of the folds' scores by their case weights; NaN at times without a weight."""
    table = part.predictions
    if table.cumulative_incidence is None:
        return part.undefined(NO_PROBABILITIES)
    if table.entry is not None:
        return part.undefined("weights for censoring are not defined here with delayed entry")
    total = part.scored.new_zeros(len(part.counts), len(table.time_grid))
    for fold in part.folds():
        compute = partial(_of_fold, fold, of_curve=of_curve)
        scores = fold.once(f"brier of the fold, of curve {of_curve}", compute)
        if isinstance(scores, Undefined):
            return part.undefined(scores.reason)
        weight = fold.scored.sum(dim=1, keepdim=True)
        total = total + torch.where(weight > 0, weight * scores, 0.0)
    mean: Tensor = total / part.scored.sum(dim=1, keepdim=True)
    return mean


def _of_fold(fold: Part, *, of_curve: bool) -> Values:
    """Brier scores of one fold; (replicate, grid)."""
    trained = fold.trained_on()
    if isinstance(trained, Undefined):
        return trained
    training, drawn = check_training(trained[0]), trained[1]
    times, target = fold.predictions.time_grid, fold.target
    incidence = fold.incidence_at(times)
    assert incidence is not None, "without probabilities nothing is asked of a fold"
    errors = squared_errors(incidence, times.tolist(), target, fold.cause)
    counts = (fold.drawn, drawn)
    if not of_curve:
        return weighted_errors(errors, target, training, counts, "before")
    # Outcomes are 0 or 1, so predicting p for everybody costs (1-p)² of the error of predicting 0
    # and p² of that of predicting 1.
    none, everybody = (
        weighted_errors(
            replace(errors, incidence=torch.full_like(errors.incidence, value)),
            target,
            training,
            counts,
            "before",
        )
        for value in (0.0, 1.0)
    )
    curve = incidence_replicates(training, drawn, fold.cause, errors.times)
    return (1 - curve) ** 2 * none + curve**2 * everybody

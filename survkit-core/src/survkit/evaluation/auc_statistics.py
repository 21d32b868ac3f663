"""Cumulative/dynamic AUC of a part: pairs within folds, at the horizon, over time and its mean.

A subject is scored by its predicted probability of the event by the time asked about, or by its
risk score where the table has no probabilities. Cases that win, of all folds, are divided by pairs
of all folds; a case weighs by the censoring of its fold's training subjects. Controls are
event-free after the time.

Reference: Uno et al. (2007); Hung and Chiang (2010); with competing causes Blanche et al. (2013,
definition 1); mean over time: Lambert and Chevret (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from survkit.evaluation.observed_incidence import incidence_at
from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Floats
from survkit.evaluation.shown_times import shown_columns
from survkit.metrics.dynamic_auc import dynamic_auc_statistic
from survkit.metrics.estimate import Undefined

Values = Tensor | Undefined


def auc_at_horizon(part: Part) -> Values:
    """AUC at the horizon; (replicate)."""
    curves = _curves(part)
    if isinstance(curves, Undefined):
        return curves
    at = curves[:, -1]
    return at if bool(at[0].isfinite()) else part.undefined(auc_reason(part, len(curves[0]) - 1))


def auc_over_time(part: Part) -> Values:
    """AUC at up to twelve times of the grid; (replicate, time), NaN where it is undefined."""
    curves = _curves(part)
    return curves if isinstance(curves, Undefined) else curves[:, shown_columns(part.predictions)]


def auc_missing(parts: Sequence[Part], column: int) -> Undefined:
    """Say why there is no AUC at a time of the grid, on average over parts."""
    for part in parts:
        curves = _curves(part)
        if isinstance(curves, Undefined):
            return curves
        if not bool(curves[0, column].isfinite()):
            return part.undefined(auc_reason(part, column))
    raise ValueError(f"the AUC at column {column} of the grid is defined")


def mean_auc(part: Part) -> Values:
    """AUC averaged over the grid, each time weighted by the incidence since the one before.

    Times by which nobody has had the event have no weight, and need no AUC.
    """
    curves = _curves(part)
    if isinstance(curves, Undefined):
        return curves
    if len(part.predictions.time_grid) < 2:
        return part.undefined("an average over time needs a time grid of at least two times")
    incidence = incidence_at(part, torch.from_numpy(part.predictions.time_grid))
    share = torch.diff(incidence, dim=1, prepend=torch.zeros_like(incidence[:, :1]))
    happened = share > 0
    if not bool(happened[0].any()):
        return part.undefined("nobody has the event in the time asked about")
    unknown = (happened[0] & ~curves[0].isfinite()).nonzero()[:, 0]
    if len(unknown):
        return part.undefined(auc_reason(part, int(unknown[0])))
    missing = (happened & curves.isnan()).any(dim=1) | ~happened.any(dim=1)
    safe = torch.where(happened & ~curves.isnan(), curves, 0.0)
    total = torch.where(missing, 1.0, share.sum(dim=1))
    return torch.where(missing, torch.nan, (safe * share).sum(dim=1) / total)


def _curves(part: Part) -> Values:
    return part.once("dynamic auc", lambda: _over_folds(part))


def _over_folds(part: Part) -> Values:
    """AUC at every time of the grid; (replicate, grid), NaN where it is undefined."""
    table = part.predictions
    if table.entry is not None:
        return part.undefined("a dynamic AUC cannot use subjects who entered late")
    won = part.drawn.new_zeros(len(part.drawn), len(table.time_grid))
    total = torch.zeros_like(won)
    for fold in part.folds():
        sums = fold.once("auc sums", partial(_of_fold, fold, table.time_grid))
        if isinstance(sums, Undefined):
            return part.undefined(sums.reason)
        won, total = won + sums[0], total + sums[1]
    known = total > 0
    return torch.where(known, won / torch.where(known, total, 1.0), torch.nan)


def _of_fold(fold: Part, times: Floats) -> tuple[Tensor, Tensor] | Undefined:
    trained = fold.trained_on()
    if isinstance(trained, Undefined):
        return trained
    training, drawn = trained
    score = fold.incidence_at(times)
    if score is None:
        column = fold.predictions.risk_score[fold.rows, fold.cause - 1]
        score = torch.from_numpy(column.copy())
    statistic = dynamic_auc_statistic(
        score, times.tolist(), fold.target, training, cause=fold.cause
    )
    return statistic.replicate_sums(fold.drawn, drawn)


def auc_reason(part: Part, column: int) -> str:
    """Say what is missing at a time: a case, a control beside a case, or a weight."""
    table = part.predictions
    time = float(table.time_grid[column])
    duration, own = table.duration[part.rows], table.event[part.rows] == part.cause
    if not (own & (duration <= time)).any():
        return f"nobody has the event by {time:g}, so there is no case"
    if not (duration > time).any():
        return f"nobody is known to be without the event after {time:g}: there is no control"
    once = part.drawn.new_ones(1, part.counts.shape[1])
    for fold in Part(
        predictions=table, rows=part.rows, counts=once, cause=part.cause, training=part.training
    ).folds():
        sums = _of_fold(fold, table.time_grid)
        if isinstance(sums, Undefined):
            return sums.reason
        if bool(sums[1][0, column].isnan()):
            return (
                f"an event by {time:g} has no weight: the training subjects of its fold were all "
                "censored, or their follow-up ended, before it"
            )
    return f"no fold has both a case by {time:g} and a control after it"

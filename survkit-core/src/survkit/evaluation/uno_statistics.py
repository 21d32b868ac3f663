"""Uno's concordance of a part: pairs within folds, weighted by the censoring of each fold's own
training subjects.

Weighted concordant pairs of all folds are divided by weighted comparable pairs of all folds. The
truncation time tau is the horizon.

Reference: Uno et al. (2011).
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Undefined
from survkit.metrics.uno import uno_statistic

Values = Tensor | Undefined


def uno_within_folds(part: Part) -> Values:
    """Uno's concordance of the risk scores; (replicate)."""
    if part.predictions.entry is not None:
        return part.undefined("Uno's concordance cannot use subjects who entered late")
    if not part.events:
        return part.undefined("nobody has the event in the time asked about")
    total: tuple[Tensor, Tensor] | None = None
    for fold in part.folds():
        if not fold.events:
            continue  # no pair starts in it
        sums = fold.once("uno sums", partial(_of_fold, fold))
        if isinstance(sums, Undefined):
            return part.undefined(sums.reason)
        total = sums if total is None else (total[0] + sums[0], total[1] + sums[1])
    if total is None or not bool(total[1][0] > 0):
        return part.undefined(
            "no comparable pair: nobody is known to be event-free at the time of an event"
        )
    concordant, comparable = total
    known = comparable > 0
    return torch.where(known, concordant / torch.where(known, comparable, 1.0), torch.nan)


def _of_fold(fold: Part) -> tuple[Tensor, Tensor] | Undefined:
    """Weights of concordant and of comparable pairs; (replicate) each."""
    trained = fold.trained_on()
    if isinstance(trained, Undefined):
        return trained
    training, drawn = trained
    table = fold.predictions
    score = torch.from_numpy(table.risk_score[fold.rows, fold.cause - 1].copy())
    statistic = uno_statistic(score, fold.target, training, cause=fold.cause, tau=table.horizon)
    concordant, comparable = statistic.replicate_sums(fold.drawn, drawn)
    if bool(comparable[0].isnan()):
        sample = statistic.estimate()
        assert isinstance(sample, Undefined), "a weight is missing in the sample itself"
        return sample
    return concordant, comparable

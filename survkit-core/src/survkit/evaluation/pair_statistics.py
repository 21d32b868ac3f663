"""Concordances of a part, for every resample at once.

With folds as strata, only pairs within a fold are formed: concordant pairs of all folds over
comparable pairs of all folds. Strata of the outcome, whose baseline hazards differ, are never
compared with each other, not in "all pairs" either. Events after the horizon start no pair;
competing events leave as if censored, so that the question is about the cause-specific hazard.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.part import NO_PROBABILITIES, Part
from survkit.evaluation.predictions import Predictions
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import antolini_statistic
from survkit.metrics.estimate import Undefined
from survkit.metrics.harrell import harrell_statistic
from survkit.metrics.pair_statistic import PairStatistic

Values = Tensor | Undefined


Concordance = Literal["harrell", "antolini"]


def harrell_within_folds(part: Part) -> Values:
    """Harrell's concordance of the risk scores: pairs of each fold, summed over folds."""
    return _values(part, pair_statistic(part, "harrell", within_folds=True))


def harrell_all_pairs(part: Part) -> Values:
    """Harrell's concordance of the risk scores, pairs across folds too."""
    return _values(part, pair_statistic(part, "harrell", within_folds=False))


def antolini_within_folds(part: Part) -> Values:
    """Antolini's time-dependent concordance: pairs of each fold, summed over folds."""
    return _values(part, pair_statistic(part, "antolini", within_folds=True))


def antolini_all_pairs(part: Part) -> Values:
    """Antolini's time-dependent concordance, pairs across folds too."""
    return _values(part, pair_statistic(part, "antolini", within_folds=False))


def pair_statistic(
    part: Part, kind: Concordance, *, within_folds: bool
) -> PairStatistic | Undefined:
    """Return a concordance of the part as a statistic that can be resampled."""
    target = _folds_as_strata(part) if within_folds else part.target
    return _harrell(part, target) if kind == "harrell" else _antolini(part, target)


def within_folds(table: Predictions) -> SurvivalTarget:
    """Return what was observed with folds, inside strata where there are any, as strata."""
    target, fold = table.target(), torch.from_numpy(table.fold.copy())
    if target.strata is not None:
        both = torch.stack([fold, target.strata], dim=1)
        fold = torch.unique(both, dim=0, return_inverse=True)[1]
    return replace(target, strata=fold)


def _folds_as_strata(part: Part) -> SurvivalTarget:
    return within_folds(part.predictions.select(part.rows))


def _harrell(part: Part, target: SurvivalTarget) -> PairStatistic:
    table = part.predictions
    score = torch.from_numpy(table.risk_score[part.rows, part.cause - 1].copy())
    return harrell_statistic(score, target, cause=part.cause, tau=table.horizon)


def _antolini(part: Part, target: SurvivalTarget) -> PairStatistic | Undefined:
    """Compare incidences at every event time itself, interpolated between grid times."""
    if part.predictions.cumulative_incidence is None:
        return part.undefined(NO_PROBABILITIES)
    table = part.predictions.select(part.rows)
    known = (table.event == part.cause) & (table.duration <= table.horizon)
    times = np.unique(table.duration[known])
    times = times if len(times) else table.time_grid[-1:]  # without events nothing is read
    column = np.where(known, np.searchsorted(times, table.duration), 0)
    incidence = torch.from_numpy(table.incidence_at(times)[:, part.cause - 1])
    return antolini_statistic(
        incidence, torch.from_numpy(column), target, cause=part.cause, tau=table.horizon
    )


def _values(part: Part, statistic: PairStatistic | Undefined) -> Values:
    """The value, then the replicates; NaN in resamples without a comparable pair."""
    if isinstance(statistic, Undefined):
        return statistic
    sample = statistic.estimate()
    if isinstance(sample, Undefined):
        return part.undefined(sample.reason)
    if part.counts.requires_grad:  # counting by ranks has no derivative
        return statistic.replicates(part.drawn)
    value = torch.tensor([sample.value], dtype=torch.float64)
    resamples = part.drawn[1:]
    return torch.cat([value, statistic.replicates(resamples)]) if len(resamples) else value

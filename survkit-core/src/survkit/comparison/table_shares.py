"""Which subjects make the difference between two tables of predictions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from survkit.comparison.comparable_metrics import COMPARABLE
from survkit.comparison.exchange_ranks import Exchange, scaled_ranks
from survkit.comparison.permutation import swap_shares
from survkit.comparison.table_statistic import TableStatistic
from survkit.evaluation.pair_statistics import within_folds
from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Floats, Predictions
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import antolini_statistic
from survkit.metrics.estimate import Undefined
from survkit.metrics.harrell import harrell_statistic
from survkit.metrics.pair_statistic import PairStatistic
from survkit.nonparametric.censoring import censoring_survival


def table_shares(
    first: TableStatistic, second: TableStatistic, *, exchange: Exchange
) -> Tensor | Undefined:
    """Return each subject's share of the difference first - second, the mean over repeats.

    A subject is swapped in all repeats at once. The censoring weights of Brier scores depend on no
    prediction, so they stay as they are.

    Args:
        first: A metric of one model, which is defined.
        second: The same of another model, of the same rows in the same order.
        exchange: What is swapped in a concordance; see
            :mod:`survkit.comparison.exchange_ranks`.

    Returns:
        float64 (subject) in sorted order of the subjects, summing to the difference.
    """
    shares = torch.zeros(first.sizes[0], dtype=torch.float64)
    repeats = first.table.repeats
    for repeat in repeats:
        rows = np.flatnonzero(first.table.repeat == repeat)
        if "brier" in COMPARABLE[first.key].kind:
            found = _brier_shares(first, rows) - _brier_shares(second, rows)
        else:
            pairs = [_pairs(each, rows, exchange) for each in (first, second)]
            swapped = swap_shares(*pairs)
            if isinstance(swapped, Undefined):
                return swapped
            found = swapped
        shares.index_add_(0, torch.from_numpy(first.position[rows]), found / len(repeats))
    return shares


def _pairs(statistic: TableStatistic, rows: np.ndarray, exchange: Exchange) -> PairStatistic:
    """Return the concordance of one repeat, with the numbers that are exchanged."""
    table, cause = statistic.table.select(rows), statistic.cause
    kind, within = COMPARABLE[statistic.key][1:]
    target = within_folds(table) if within else table.target()

    def exchanged(values: Floats) -> Tensor:
        if exchange == "values":
            return torch.from_numpy(values.copy())
        return torch.from_numpy(scaled_ranks(values, table.fold if within else None))

    if kind == "harrell":
        score = exchanged(table.risk_score[:, cause - 1 : cause])[:, 0].contiguous()
        return harrell_statistic(score, target, cause=cause, tau=table.horizon)
    known = (table.event == cause) & (table.duration <= table.horizon)
    times = np.unique(table.duration[known])
    column = np.where(known, np.searchsorted(times, table.duration), 0)
    incidence = exchanged(table.incidence_at(times)[:, cause - 1])
    return antolini_statistic(
        incidence, torch.from_numpy(column), target, cause=cause, tau=table.horizon
    )


def _brier_shares(statistic: TableStatistic, rows: np.ndarray) -> Tensor:
    """Return the weighted squared error of each subject over all case weights; (row)."""
    table = statistic.table
    last = COMPARABLE[statistic.key].kind == "brier"
    times = table.time_grid[-1:] if last else table.time_grid
    everybody = Part(
        predictions=table,
        rows=rows,
        counts=torch.ones(1, len(table), dtype=torch.float64),
        cause=statistic.cause,
        training=statistic.training,
    )
    weight = everybody.scored[0]
    errors = torch.zeros(len(rows), dtype=torch.float64)
    for fold in everybody.folds():
        place = torch.from_numpy(np.searchsorted(rows, fold.rows))
        others = fold.training_rows()
        training = table.target(others) if len(others) else statistic.training
        if training is not None:  # it is: the metric is defined
            errors[place] = _weighted_errors(table.select(fold.rows), times, training, fold.cause)
    return weight * errors / weight.sum()


def _weighted_errors(
    table: Predictions, times: Floats, training: SurvivalTarget, cause: int
) -> Tensor:
    """Squared error of each subject over its censoring survival, averaged over time; (row)."""
    target, curve = table.target(), censoring_survival(training)
    incidence = torch.from_numpy(table.incidence_at(times)[:, cause - 1])
    knots = torch.from_numpy(times.copy())
    later = target.duration[:, None] > knots
    seen = ~later & (target.event > 0)[:, None]
    outcome = (target.event == cause).to(torch.float64)[:, None]
    after_event = (outcome - incidence) ** 2 / curve.before(target.duration)[:, None]
    at_risk = incidence**2 / curve.at(knots)
    errors = torch.where(seen, after_event, 0.0) + torch.where(later, at_risk, 0.0)
    if len(knots) == 1:
        return errors[:, 0]
    averages: Tensor = torch.trapezoid(errors, knots, dim=1) / (knots[-1] - knots[0])
    return averages

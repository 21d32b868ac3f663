"""Proportional regression of a few columns, fitted in every bootstrap replicate at once.

With one cause it is Cox's regression with Breslow's ties. With competing causes it is Fine and
Gray's: who had a competing event stays at risk with weight G(t-) / G(duration-). Both need sums
over subjects only, at each event time a suffix of those still followed plus a prefix of those with
a competing event, so a replicate is a row of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics.censoring_weights import check_no_entry
from survkit.nonparametric.censoring import censoring_survival_replicates

MOST_STEPS = 30
"""Newton's method needs about five; who needs more has no maximum."""

SMALLEST_STEP = 1e-9
"""It stops where no coefficient, of a column of standard deviation 1, moves by more."""

LARGEST_PREDICTOR = 50.0
"""Beyond it the hazard ratios say that the likelihood has no maximum."""


@dataclass(frozen=True, slots=True)
class HazardRegression:
    """Fitted regressions of all replicates.

    Attributes:
        coefficient: NaN where there is no maximum; float64 (replicate, column).
        baseline: Cumulative (subdistribution) hazard at the horizon of who has a linear predictor
            of 0; float64 (replicate).
    """

    coefficient: Tensor
    baseline: Tensor


@dataclass(frozen=True, slots=True)
class RiskSums:
    """How to sum over risk sets: subjects are in order of their durations.

    Attributes:
        columns: Float64 (batch, column).
        weight: How often each subject counts; float64 (replicate, batch).
        own: Weight of the events of the cause at each of their times; float64 (replicate, grid).
        own_rows: The events of the cause; bool (batch).
        times: Times of the events of the cause, increasing; float64 (grid).
        start: First subject at risk at each time; int64 (grid).
        kept: Weight / G(duration-) of who had a competing event, else 0; (replicate, batch).
        censoring: G(t-); float64 (replicate, grid).
    """

    columns: Tensor
    weight: Tensor
    own: Tensor
    own_rows: Tensor
    times: Tensor
    start: Tensor
    kept: Tensor | None
    censoring: Tensor | None

    def over(self, factor: Tensor) -> Tensor:
        """Sum a factor of each subject (replicate, batch) over the risk sets; (replicate, grid)."""
        risk = (self.weight * factor).flip(1).cumsum(1).flip(1)[:, self.start]
        if self.kept is None or self.censoring is None:
            return risk
        before = (self.kept * factor).cumsum(1)
        before = torch.cat([torch.zeros_like(before[:, :1]), before], dim=1)
        return risk + self.censoring * before[:, self.start]


def fit_hazard_regression(
    columns: Tensor, target: SurvivalTarget, weight: Tensor, *, cause: int, horizon: float
) -> HazardRegression:
    """Fit by Newton's method with halved steps.

    Args:
        columns: Standardised; float64 (batch, column).
        target: Checked, without delayed entry, with an event of the cause.
        weight: How often each subject counts; float64 (replicate, batch).
        cause: The cause asked about.
        horizon: Where the baseline is wanted.

    Raises:
        DataError: Delayed entry.

    Reference: Cox (1972); Breslow (1974); Fine and Gray (1999).
    """
    check_no_entry(target, "this regression")
    sums = _risk_sums(columns, target, weight, cause)
    coefficient = weight.new_zeros(len(weight), columns.shape[1])
    value, score, information = _likelihood(sums, coefficient)
    settled = torch.zeros_like(value, dtype=torch.bool)
    for _ in range(MOST_STEPS):
        step, failed = torch.linalg.solve_ex(information, score[..., None])
        step = torch.where((failed != 0)[:, None], torch.nan, step[..., 0])
        for _halving in range(10):
            tried = _likelihood(sums, coefficient + step)
            worse = ~settled & (tried[0] < value - 1e-12 * value.abs())
            if not bool(worse.any()):
                break
            step = torch.where(worse[:, None], step / 2, step)
        coefficient = torch.where(settled[:, None], coefficient, coefficient + step)
        settled = settled | (step.abs().amax(dim=1) < SMALLEST_STEP)
        value, score, information = tried
        lost = coefficient.isnan().any(dim=1)
        if bool((settled | lost).all()):
            break
    predictor = coefficient @ columns.T
    found = settled & (predictor.abs().amax(dim=1) < LARGEST_PREDICTOR)
    coefficient = torch.where(found[:, None], coefficient, torch.nan)
    steps = sums.own / sums.over((coefficient @ sums.columns.T).exp())
    by_horizon = (sums.times <= horizon) & (sums.own > 0)
    return HazardRegression(coefficient, torch.where(by_horizon, steps, 0.0).sum(dim=1))


def _likelihood(sums: RiskSums, coefficient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Log partial likelihood (replicate), its gradient and its information."""
    columns, width = sums.columns, sums.columns.shape[1]
    predictor = coefficient @ columns.T
    shift = predictor.amax(dim=1, keepdim=True)
    hazard = (predictor - shift).exp()
    total = sums.over(hazard)
    known = (sums.own > 0) & (total > 0)
    share = torch.where(known, sums.own / total, 0.0)
    own_weight = sums.weight * sums.own_rows
    value = (own_weight * predictor).sum(dim=1) - torch.where(
        known, sums.own * (total.log() + shift), 0.0
    ).sum(dim=1)
    first = [sums.over(hazard * columns[:, a]) for a in range(width)]
    expected = torch.stack([(share * one).sum(dim=1) for one in first], dim=1)
    information = hazard.new_zeros(len(hazard), width, width)
    for a in range(width):
        for b in range(a + 1):
            second = sums.over(hazard * (columns[:, a] * columns[:, b]))
            mean = torch.where(known, first[a] * first[b] / total, 0.0)
            information[:, a, b] = information[:, b, a] = (share * (second - mean)).sum(dim=1)
    return value, own_weight @ columns - expected, information


def _risk_sums(columns: Tensor, target: SurvivalTarget, weight: Tensor, cause: int) -> RiskSums:
    duration, order = torch.sort(target.duration)
    event, weight = target.event[order], weight[:, order]
    own_rows = event == cause
    times, place = torch.unique(duration[own_rows], return_inverse=True)
    own = weight.new_zeros(len(weight), len(times)).index_add_(1, place, weight[:, own_rows])
    start = torch.searchsorted(duration, times)
    kept = censoring = None
    competing = (event > 0) & ~own_rows
    if bool(competing.any()):
        knots, survival = censoring_survival_replicates(SurvivalTarget(duration, event), weight)
        padded = torch.cat([torch.ones_like(survival[:, :1]), survival], dim=1)
        before = padded[:, torch.searchsorted(knots, duration)]
        known = competing & (before > 0)
        kept = torch.where(known, weight / torch.where(known, before, 1.0), 0.0)
        censoring = padded[:, torch.searchsorted(knots, times)]
    return RiskSums(columns[order], weight, own, own_rows, times, start, kept, censoring)

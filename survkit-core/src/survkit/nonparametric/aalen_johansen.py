"""Cumulative incidence with competing causes: the Aalen–Johansen estimator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric.kaplan_meier import check_level, log_log_bounds
from survkit.nonparametric.observations import check_target
from survkit.nonparametric.risk_table import RiskTable, risk_table
from survkit.nonparametric.step_function import step_values
from survkit.prediction import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceCurves:
    """Step function estimates of P(event of cause k by t).

    Attributes:
        times: The distinct durations, increasing; float64 (grid).
        incidence: float64 (cause, grid); with ``survival`` it sums to one.
        survival: P(no event of any cause by t); float64 (grid).
        at_risk: Weight of the subjects at risk just before each time; float64 (grid).
        events: Weight of the events of each cause; float64 (cause, grid).
        variance: Aalen's variance of the incidence; float64 (cause, grid).
        lower: Pointwise lower bound by the log(-log F) transformation; 0 before the first event of
            the cause, NaN where F is 1.
        upper: Pointwise upper bound.
        level: Coverage of the bounds.
    """

    times: Tensor
    incidence: Tensor
    survival: Tensor
    at_risk: Tensor
    events: Tensor
    variance: Tensor
    lower: Tensor
    upper: Tensor
    level: float

    @property
    def last_time(self) -> float:
        """The longest duration: the estimate says nothing after it."""
        return float(self.times[-1])

    def at(self, times: Times) -> Tensor:
        """F_k(t): (cause, grid of ``times``)."""
        return step_values(self.times, self.incidence, times, initial=0.0)

    def before(self, times: Times) -> Tensor:
        """F_k(t-): (cause, grid of ``times``)."""
        return step_values(self.times, self.incidence, times, initial=0.0, side="before")

    def bounds_at(self, times: Times) -> tuple[Tensor, Tensor]:
        """Lower and upper bound at each time: (cause, grid of ``times``) each."""
        return (
            step_values(self.times, self.lower, times, initial=0.0),
            step_values(self.times, self.upper, times, initial=0.0),
        )


def aalen_johansen(
    duration: Tensor,
    event: Tensor,
    causes: int,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    level: float = 0.95,
) -> IncidenceCurves:
    """Estimate the cumulative incidence of every cause.

    Args:
        duration: Time to event or censoring, >= 0; (batch).
        event: 0 for censored, 1..``causes`` for the cause; int (batch).
        causes: Number of competing causes, also those that nobody had.
        entry: Delayed entry time, < duration; (batch).
        weight: Case weight, > 0; (batch). The variance treats weights as numbers of subjects.
        level: Coverage of the pointwise interval.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Aalen and Johansen (1978); variance of Aalen (1978) as in Pintilie (2006), equation
        4.5; terms with one subject at risk, where it divides by zero, are left out.
    """
    check_level(level)
    target = check_target(SurvivalTarget(duration, event, entry, weight))
    if causes < 1 or int(target.event.max()) > causes:
        raise DataError(
            f"event codes must be 0 (censored) to causes={causes}, but "
            f"row {int(target.event.argmax())} holds {int(target.event.max())}"
        )
    table = risk_table(target, causes)
    events = table.leaving[1:]
    gone = events.sum(dim=0)
    survival = (1 - torch.where(gone > 0, gone / table.at_risk, 0.0)).cumprod(0)
    before = torch.cat([survival.new_ones(1), survival[:-1]])
    incidence = torch.where(events > 0, before * events / table.at_risk, 0.0).cumsum(1)
    variance = _aalen_variance(table, before, incidence)
    scale = (incidence * incidence.log()).abs()
    lower, upper = log_log_bounds(incidence, variance.sqrt() / scale, level)
    return IncidenceCurves(
        times=table.times,
        incidence=incidence,
        survival=survival,
        at_risk=table.at_risk,
        events=events,
        variance=variance,
        lower=torch.where(incidence == 0, 0.0, lower),
        upper=torch.where(incidence == 0, 0.0, upper),
        level=level,
    )


def _aalen_variance(table: RiskTable, before: Tensor, incidence: Tensor) -> Tensor:
    """Sum Aalen's three terms over s <= t, with F(t) - F(s) expanded into cumulative sums."""
    risk, events = table.at_risk, table.leaving[1:]
    gone = events.sum(dim=0)
    all_causes = _ratio(gone, (risk - 1) * (risk - gone))
    own = _ratio(before**2 * events * (risk - events), risk**2 * (risk - 1))
    mixed = _ratio(before * events * (risk - events), risk * (risk - gone) * (risk - 1))
    squares = (
        incidence**2 * all_causes.cumsum(0)
        - 2 * incidence * (incidence * all_causes).cumsum(1)
        + (incidence**2 * all_causes).cumsum(1)
    )
    products = incidence * mixed.cumsum(1) - (incidence * mixed).cumsum(1)
    return (squares + own.cumsum(1) - 2 * products).clamp(min=0)  # rounding only


def _ratio(top: Tensor, bottom: Tensor) -> Tensor:
    return torch.where(bottom > 0, top / bottom, 0.0)

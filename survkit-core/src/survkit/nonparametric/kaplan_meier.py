"""The Kaplan–Meier estimator with Greenwood's variance."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric.observations import check_observed, check_target
from survkit.nonparametric.risk_table import RiskTable, risk_table
from survkit.nonparametric.step_function import step_values
from survkit.prediction import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """A step function estimate of P(duration > t); every tensor is float64 (grid).

    Attributes:
        times: The distinct durations, increasing, also those where only censoring happened.
        survival: The estimate from each time on.
        at_risk: Weight of the subjects at risk just before each time.
        events: Weight of the events at each time.
        variance: Greenwood's variance of log S; infinite where the curve is 0.
        lower: Lower bound by the log(-log S) transformation; NaN where the curve is 0, 1 where it
            is 1.
        upper: Upper bound.
        level: Coverage of each bound pair, pointwise.
    """

    times: Tensor
    survival: Tensor
    at_risk: Tensor
    events: Tensor
    variance: Tensor
    lower: Tensor
    upper: Tensor
    level: float

    @property
    def last_time(self) -> float:
        """The longest duration: the estimate says nothing after it unless it has reached 0."""
        return float(self.times[-1])

    def at(self, times: Times) -> Tensor:
        """S(t), of the shape of ``times``; the last value is kept after :attr:`last_time`."""
        return step_values(self.times, self.survival, times, initial=1.0)

    def before(self, times: Times) -> Tensor:
        """S(t-), the probability of being event-free just before t."""
        return step_values(self.times, self.survival, times, initial=1.0, side="before")

    def bounds_at(self, times: Times) -> tuple[Tensor, Tensor]:
        """Lower and upper bound at each time."""
        return (
            step_values(self.times, self.lower, times, initial=1.0),
            step_values(self.times, self.upper, times, initial=1.0),
        )


def kaplan_meier(
    duration: Tensor,
    observed: Tensor,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    level: float = 0.95,
) -> SurvivalCurve:
    """Estimate S(t) = P(duration > t).

    Args:
        duration: Time to event or censoring, >= 0; (batch).
        observed: Whether the event happened; bool (batch). Event codes are refused, so that a
            competing cause cannot become an event unseen.
        entry: Delayed entry time, < duration; (batch).
        weight: Case weight, > 0; (batch). The variance treats weights as numbers of subjects.
        level: Coverage of the pointwise interval.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Kaplan and Meier (1958); Greenwood (1926); log(-log) interval of Kalbfleisch and
        Prentice (1980, 1.4).

    >>> curve = kaplan_meier(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))
    >>> [round(value, 3) for value in curve.survival.tolist()]
    [0.667, 0.667, 0.0]
    """
    check_level(level)
    times, event = check_observed(duration, observed)
    table = risk_table(check_target(SurvivalTarget(times, event, entry, weight)), causes=1)
    return survival_curve(table, table.leaving[1], level)


def survival_curve(table: RiskTable, events: Tensor, level: float) -> SurvivalCurve:
    """Build the product-limit curve of ``events`` among ``table.at_risk``; both (grid)."""
    at_risk = table.at_risk
    share = torch.where(
        events > 0, events / at_risk, 0.0
    )  # nobody may be at risk where nothing happens
    survival = (1 - share).cumprod(0)
    variance = torch.where(events > 0, share / (at_risk - events), 0.0).cumsum(0)
    lower, upper = log_log_bounds(survival, variance.sqrt() / survival.log().abs(), level)
    return SurvivalCurve(
        times=table.times,
        survival=survival,
        at_risk=at_risk,
        events=events,
        variance=variance,
        lower=torch.where(survival == 1, 1.0, lower),
        upper=torch.where(survival == 1, 1.0, upper),
        level=level,
    )


def log_log_bounds(probability: Tensor, deviation: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Interval p^exp(±z · deviation), the deviation that of log(-log p); NaN where unknown."""
    spread = (NormalDist().inv_cdf((1 + level) / 2) * deviation).exp()
    known = (probability > 0) & (probability < 1) & spread.isfinite()
    lower = torch.where(known, probability**spread, torch.nan)
    return lower, torch.where(known, probability ** (1 / spread), torch.nan)


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, not {level}; 0.95 is usual")

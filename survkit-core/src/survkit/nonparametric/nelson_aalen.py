"""The Nelson–Aalen estimator of the cumulative hazard."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.nonparametric.kaplan_meier import check_level
from survkit.nonparametric.observations import check_observed, check_target
from survkit.nonparametric.risk_table import risk_table
from survkit.nonparametric.step_function import step_values
from survkit.prediction import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeHazardCurve:
    """A step function estimate of H(t) = -log S(t); every tensor is float64 (grid).

    Attributes:
        times: The distinct durations, increasing, also those where only censoring happened.
        cumulative_hazard: The estimate from each time on.
        at_risk: Weight of the subjects at risk just before each time.
        events: Weight of the events at each time.
        variance: Aalen's variance of the cumulative hazard.
        lower: Lower bound by the log transformation; 0 before the first event.
        upper: Upper bound; 0 before the first event.
        level: Coverage of each bound pair, pointwise.
    """

    times: Tensor
    cumulative_hazard: Tensor
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
        """H(t), of the shape of ``times``; the last value is kept after :attr:`last_time`."""
        return step_values(self.times, self.cumulative_hazard, times, initial=0.0)

    def bounds_at(self, times: Times) -> tuple[Tensor, Tensor]:
        """Lower and upper bound at each time."""
        return (
            step_values(self.times, self.lower, times, initial=0.0),
            step_values(self.times, self.upper, times, initial=0.0),
        )


def nelson_aalen(
    duration: Tensor,
    observed: Tensor,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    level: float = 0.95,
) -> CumulativeHazardCurve:
    """Estimate the cumulative hazard H(t), the sum of events / at risk until t.

    Args:
        duration: Time to event or censoring, >= 0; (batch).
        observed: Whether the event happened; bool (batch). Event codes are refused: for a
            cause-specific hazard pass ``event == cause``.
        entry: Delayed entry time, < duration; (batch).
        weight: Case weight, > 0; (batch). The variance treats weights as numbers of subjects.
        level: Coverage of the pointwise interval.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Nelson (1972); Aalen (1978), variance the sum of events / at risk²; log interval as
        in Klein and Moeschberger (2003, 4.3).

    >>> curve = nelson_aalen(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))
    >>> [round(value, 3) for value in curve.cumulative_hazard.tolist()]
    [0.333, 0.333, 1.333]
    """
    check_level(level)
    times, event = check_observed(duration, observed)
    table = risk_table(check_target(SurvivalTarget(times, event, entry, weight)), causes=1)
    events = table.leaving[1]
    share = torch.where(events > 0, events / table.at_risk, 0.0)
    hazard = share.cumsum(0)
    variance = torch.where(events > 0, share / table.at_risk, 0.0).cumsum(0)
    deviation = torch.where(hazard > 0, variance.sqrt() / hazard, 0.0)
    spread = (NormalDist().inv_cdf((1 + level) / 2) * deviation).exp()
    return CumulativeHazardCurve(
        times=table.times,
        cumulative_hazard=hazard,
        at_risk=table.at_risk,
        events=events,
        variance=variance,
        lower=hazard / spread,
        upper=hazard * spread,
        level=level,
    )

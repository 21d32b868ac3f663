"""Calibration in the large: observed over expected events by a horizon."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import check_incidence
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.nonparametric.incidence_replicates import incidence_replicates
from survkit.nonparametric.observations import check_target, check_vector


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedExpectedStatistic:
    """Observed over mean predicted probability, on the data and on resampled data.

    Attributes:
        horizon: The time point.
        predicted: P(event of the cause by the horizon); float64 (batch).
        target: Checked.
        cause: The cause asked about.
    """

    horizon: float
    predicted: Tensor
    target: SurvivalTarget
    cause: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        return (len(self.predicted),)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (0.0, inf)

    def estimate(self) -> Result:
        """Return the ratio of the data."""
        target = self.target
        own = (target.event == self.cause) & (target.duration <= self.horizon)
        size, events, last = len(own), int(own.sum()), float(target.duration.max())
        if self.horizon > last and bool((target.event[target.duration == last] == 0).any()):
            reason = f"follow-up ends at {last:g}, before the horizon {self.horizon:g}"
            return Undefined(reason, size, events)
        value = float(self.replicates(self.predicted.new_ones(1, size))[0])
        if value != value:
            return Undefined("no event is predicted at all", size, events)
        return Estimate(value, None, "observed / mean predicted incidence", size, events)

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the ratio for each row of draw counts.

        Args:
            counts: How often each subject was drawn; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN where no event is predicted at all.
        """
        drawn = counts[0].to(self.predicted.device, torch.float64)
        weight = drawn if self.target.weight is None else drawn * self.target.weight
        expected = (weight @ self.predicted) / weight.sum(dim=1)
        times = self.predicted.new_tensor([self.horizon])
        observed = incidence_replicates(self.target, drawn, self.cause, times)[:, 0]
        known = expected > 0
        return torch.where(known, observed / torch.where(known, expected, 1.0), torch.nan)


def observed_expected_statistic(
    horizon: float, predicted: Tensor, target: SurvivalTarget, *, cause: int = 1
) -> ObservedExpectedStatistic:
    """Return observed over expected events as a statistic that can be resampled.

    The numerator is Aalen–Johansen's estimate, 1 - Kaplan–Meier's with one cause. 1 is calibrated
    in the large, above 1 the model predicts too few events. Delayed entry and weights are honoured.

    Args:
        horizon: The time point.
        predicted: P(event of the cause by the horizon); (batch).
        target: What was observed.
        cause: The cause asked about; other causes compete.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: van Houwelingen (2000); Debray and others (2017).
    """
    checked = check_target(target)
    size = len(checked.duration)
    values = check_vector("predicted", predicted, size)
    check_incidence(values[:, None], size)
    if not 0 < horizon < inf:
        raise DataError(f"horizon must be a positive time, not {horizon}")
    if isinstance(cause, bool) or not isinstance(cause, int) or cause < 1:
        raise DataError(f"cause must be a whole number from 1, not {cause!r}")
    return ObservedExpectedStatistic(horizon=horizon, predicted=values, target=checked, cause=cause)

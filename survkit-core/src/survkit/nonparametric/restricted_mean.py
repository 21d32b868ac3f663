"""Restricted mean survival time: the area under a Kaplan–Meier curve."""

from __future__ import annotations

from statistics import NormalDist

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined
from survkit.nonparametric.kaplan_meier import SurvivalCurve, kaplan_meier


def restricted_mean_survival(
    duration: Tensor,
    observed: Tensor,
    tau: float,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    level: float = 0.95,
) -> Result:
    """Mean event-free time until tau, in the unit of the durations.

    Args:
        duration: Time to event or censoring, >= 0; (batch).
        observed: Whether the event happened; bool (batch).
        tau: Until when time is counted.
        entry: Delayed entry time, < duration; (batch).
        weight: Case weight, > 0; (batch). The variance treats weights as numbers of subjects.
        level: Coverage of the interval, mean ± z · standard error.

    Returns:
        An Estimate, or Undefined where the follow-up ends before tau with somebody event-free.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Irwin (1949); variance as in Klein and Moeschberger (2003, equation 4.5.2).

    >>> curve = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, True, True])
    >>> round(restricted_mean_survival(*curve, tau=3.0).value, 6)
    2.0
    """
    if not 0 < tau < float("inf"):
        raise DataError(f"tau must be a positive time, not {tau}")
    curve = kaplan_meier(duration, observed, entry=entry, weight=weight, level=level)
    size, events = len(duration), int((observed & (duration <= tau)).sum())
    if tau > curve.last_time and float(curve.survival[-1]) > 0:
        return Undefined(
            f"follow-up ends at {curve.last_time:g} with somebody event-free, before tau {tau:g}",
            size,
            events,
        )
    mean, error = area_until(curve, tau)
    margin = NormalDist().inv_cdf((1 + level) / 2) * error
    interval = Interval(mean - margin, mean + margin, level)
    method = f"restricted mean survival until {tau:g}, Greenwood-type standard error"
    return Estimate(mean, interval, method, size, events)


def area_until(curve: SurvivalCurve, tau: float) -> tuple[float, float]:
    """Area under the curve from 0 to tau, and its standard error."""
    inside = curve.times < tau
    times, survival = curve.times[inside], curve.survival[inside]
    knots = torch.cat([times.new_zeros(1), times, times.new_tensor([tau])])
    steps = torch.cat([survival.new_ones(1), survival]) * knots.diff()
    still_to_come = steps.flip(0).cumsum(0).flip(0)
    gone, risk = curve.events[inside], curve.at_risk[inside]
    # At the time the curve reaches 0 no area is left, so that term of the variance is 0.
    term = torch.where((gone > 0) & (risk > gone), gone / (risk * (risk - gone)), 0.0)
    variance = (still_to_come[1:] ** 2 * term).sum()
    return float(steps.sum()), float(variance.sqrt())

"""The infinitesimal jackknife: how a statistic moves with how often each subject counts.

With w the counts and T(w) the statistic, the influence of a unit is the derivative of T with
respect to its count at w = 1, by one backward pass through the statistic: through its pairs, its
weights and the censoring model that is estimated from the same counts. The variance is the sum of
the squared influences. For a Kaplan–Meier estimate it is Greenwood's formula. With sites the
influences of their subjects are summed first, the variance is multiplied by G / (G - 1) and
quantiles are those of Student's t with G - 1 degrees of freedom, G sites.

Reference: Jaeckel (1972); Efron (1982, chapter 6); for censored data Efron (1981); clusters:
Cameron, Gelbach and Miller (2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

import torch
from scipy.special import stdtrit
from torch import Tensor

from survkit.evaluation.metric_statistics import Scale
from survkit.evaluation.resampling import Units
from survkit.metrics.estimate import Interval

SMALLEST_DEVIATION = 1e-12
"""What is less than this is rounding: nothing varies."""


def influences(statistic: Callable[[Tensor], Tensor], units: Units) -> Tensor:
    """Return the influence of each unit on each value of a statistic.

    Args:
        statistic: From counts (1, row) to its values (point).
        units: Whose influence is asked for.

    Returns:
        float64 (point, unit).
    """
    count = torch.ones(units.size, dtype=torch.float64, requires_grad=True)
    values = statistic(count[torch.from_numpy(units.position)][None])
    return influences_of(values, count)


def influences_of(values: Tensor, count: Tensor) -> Tensor:
    """Return the derivative of each value with respect to each count; (point, unit)."""
    rows = []
    for value in values:
        if not value.requires_grad:  # no count enters
            rows.append(torch.zeros_like(count))
            continue
        (gradient,) = torch.autograd.grad(value, count, retain_graph=True, allow_unused=True)
        rows.append(torch.zeros_like(count) if gradient is None else gradient)
    return torch.stack(rows) if rows else count.new_zeros(0, len(count))


def deviations(influence: Tensor, *, clusters: int | None = None) -> Tensor:
    """Return the standard error of each value; (point) of (point, unit).

    Args:
        influence: As :func:`influences` gives it.
        clusters: Number of sites, where the units are sites.
    """
    variance = (influence**2).sum(dim=1)
    if clusters is not None:
        variance = variance * clusters / (clusters - 1)
    return variance.sqrt()


def normal_interval(
    value: float, deviation: float, *, scale: Scale, level: float, clusters: int | None = None
) -> tuple[Interval | None, str]:
    """Return an interval that is symmetric on the scale, and what to say about it.

    Args:
        value: The estimate.
        deviation: Its standard error.
        scale: On which it is taken to be normal; by the delta method.
        level: Coverage.
        clusters: Number of sites, where the standard error is one over sites.
    """
    if not deviation < float("inf"):
        return None, "; no interval: the statistic has no derivative here"
    if deviation < SMALLEST_DEVIATION:
        return None, "; no interval: no subject has an influence on the value"
    inside = {"logit": 0 < value < 1, "log": value > 0, "identity": True}[scale]
    if not inside:
        return None, f"; no interval: {value:g} lies at the edge of its {scale} scale"
    half = _quantile(level, clusters) * deviation
    moved = torch.tensor([-half, half], dtype=torch.float64)
    at = torch.tensor(value, dtype=torch.float64)
    if scale == "logit":
        bounds: Sequence[float] = (at.logit() + moved / (value * (1 - value))).sigmoid().tolist()
    elif scale == "log":
        bounds = (at * (moved / value).exp()).tolist()
    else:
        bounds = (at + moved).tolist()
    return Interval(bounds[0], bounds[1], level), f", {scale} scale"


def _quantile(level: float, clusters: int | None) -> float:
    tail = (1 + level) / 2
    if clusters is None:
        return NormalDist().inv_cdf(tail)
    return float(stdtrit(clusters - 1, tail))

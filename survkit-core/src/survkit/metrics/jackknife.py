"""Analytic intervals: how much each subject moves a statistic, by differentiation.

A statistic is a function of how often each subject counts. Its derivative with respect to a
subject's count, where everybody counts once, is that subject's influence; the sum of their squares
estimates the variance. It needs no resampling: one derivative does it, the censoring models
and regressions inside the statistic included.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, expm1, inf, isfinite, log, log1p

import torch
from scipy.special import stdtrit
from torch import Tensor

from survkit.errors import DataError
from survkit.metrics.bootstrap import Statistic
from survkit.metrics.estimate import Interval, Result, Undefined
from survkit.nonparametric.observations import check_codes


def jackknife_interval(
    statistic: Statistic,
    *,
    level: float = 0.95,
    clusters: Tensor | None = None,
    bounds: tuple[float, float] | None = None,
) -> Result:
    """Return the statistic with its interval by the infinitesimal jackknife.

    The interval is symmetric on a scale without bounds and is carried back: logit for a value
    between 0 and 1, the logarithm of the distance to the one bound where there is one. Its width
    is Student's quantile, with one degree of freedom less than subjects or clusters, times the
    standard error.

    Args:
        statistic: Anything whose ``replicates`` can be differentiated with respect to the counts:
            every statistic of this package but the quantiles of a calibration curve.
        level: Coverage.
        clusters: As in :class:`survkit.metrics.Bootstrap`: influences add up within clusters.
        bounds: Smallest and largest possible value, infinite where there is none. By default those
            that the statistic names, else (0, 1) where the value lies between, else none.

    Returns:
        The estimate; without interval, and with the reason in ``method``, where the value is a
        bound or nobody moves it.

    Raises:
        DataError: A setting is out of range, or the statistic has no derivative.

    Reference: Jaeckel (1972); Efron (1982, chapter 6); clusters as in Lin and Wei (1989).
    """
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, not {level}; 0.95 is usual")
    estimate = statistic.estimate()
    if isinstance(estimate, Undefined):
        return estimate
    variance, units = _variance(statistic, clusters)
    name = "subjects" if clusters is None else "clusters"
    method = f"{estimate.method}; infinitesimal jackknife over {units} {name}"
    low, high = _bounds(statistic, estimate.value) if bounds is None else bounds
    if not low < estimate.value < high:
        reason = f"the value does not lie between its bounds {low:g} and {high:g}"
        return replace(estimate, method=f"{method}; no interval: {reason}")
    if not 0 < variance < inf or units < 2:
        return replace(estimate, method=f"{method}; no interval: its variance cannot be estimated")
    margin = float(stdtrit(units - 1, (1 + level) / 2)) * variance**0.5
    interval = Interval(*_symmetric(estimate.value, margin, low, high), level)
    return replace(estimate, interval=interval, method=method)


def jackknife_variance(statistic: Statistic, *, clusters: Tensor | None = None) -> float:
    """Return the variance of a statistic by the infinitesimal jackknife.

    Without censoring a Brier score's is its errors' variance over n; a Kaplan–Meier curve's is
    Greenwood's. With clusters it is multiplied by clusters / (clusters - 1).

    Args:
        statistic: As in :func:`jackknife_interval`, and defined on the data.
        clusters: As there.

    Raises:
        DataError: The statistic is undefined on the data or has no derivative.
    """
    estimate = statistic.estimate()
    if isinstance(estimate, Undefined):
        raise DataError(f"an undefined statistic has no variance: {estimate.reason}")
    return _variance(statistic, clusters)[0]


def influences(statistic: Statistic) -> tuple[Tensor, ...]:
    """Return the derivative of the statistic with respect to how often each subject counts.

    Subjects with a large value, of either sign, decide the statistic. Within each group they sum
    to zero, as doubling everybody changes nothing.

    Args:
        statistic: As in :func:`jackknife_interval`.

    Returns:
        float64 (batch) for each independent group of subjects.

    Raises:
        DataError: The statistic has no derivative.
    """
    counts = tuple(
        torch.ones(1, size, dtype=torch.float64, requires_grad=True) for size in statistic.sizes
    )
    value = statistic.replicates(*counts)
    if not value.requires_grad:
        raise DataError(f"{type(statistic).__name__} cannot be differentiated: bootstrap it")
    # A group that does not matter, such as training subjects without censoring, has influence 0.
    slopes = torch.autograd.grad(value.sum(), counts, allow_unused=True)
    return tuple(
        torch.zeros(size, dtype=torch.float64) if slope is None else slope[0]
        for size, slope in zip(statistic.sizes, slopes, strict=True)
    )


def _variance(statistic: Statistic, clusters: Tensor | None) -> tuple[float, int]:
    """Variance, and the number of subjects or clusters it rests on."""
    own, *others = influences(statistic)
    units, correction = len(own), 1.0
    if clusters is not None:
        codes = check_codes("clusters", clusters, units).to(own.device)
        names, member = torch.unique(codes, return_inverse=True)
        units = len(names)
        own = own.new_zeros(units).index_add_(0, member, own)
        correction = units / max(units - 1, 1)
    squares = correction * float(own @ own) + sum(float(other @ other) for other in others)
    return squares, units


def _bounds(statistic: Statistic, value: float) -> tuple[float, float]:
    """What the statistic says of its range, else (0, 1) if the value lies within."""
    named: tuple[float, float] | None = getattr(statistic, "bounds", None)
    if named is not None:
        return named
    return (0.0, 1.0) if 0 < value < 1 else (-inf, inf)


def _symmetric(value: float, margin: float, low: float, high: float) -> tuple[float, float]:
    """Go the margin to both sides on the scale without bounds."""
    if isfinite(low) and isfinite(high):
        share = (value - low) / (high - low)
        centre, spread = log(share) - log1p(-share), margin / (high - low) / (share * (1 - share))
        ends = [_expit(centre - spread), _expit(centre + spread)]
        return low + (high - low) * ends[0], low + (high - low) * ends[1]
    if isfinite(low):
        factor = exp(margin / (value - low))
        return low + (value - low) / factor, low + (value - low) * factor
    if isfinite(high):
        factor = exp(margin / (high - value))
        return high - (high - value) * factor, high - (high - value) / factor
    return value - margin, value + margin


def _expit(logit: float) -> float:
    """1 / (1 + exp(-logit)) without overflow."""
    return 1 / (1 + exp(-logit)) if logit >= 0 else exp(logit) / (2 + expm1(logit))

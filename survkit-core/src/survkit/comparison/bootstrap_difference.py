"""The paired bootstrap of a difference: both models are scored on the same resampled subjects."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.metrics.bootstrap import Bootstrap, Statistic, bootstrap_replicates
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined

SMALLEST_SHARE = 0.9
"""An interval needs this share of replicates to have a value; fewer would show only lucky ones."""


def bootstrap_difference(first: Statistic, second: Statistic, bootstrap: Bootstrap) -> Result:
    """Return first - second with a percentile interval.

    Args:
        first: A statistic of one model, such as :func:`survkit.metrics.harrell_statistic` gives.
        second: The same of another model; subjects in the same order.
        bootstrap: How to resample: replicates, level, seed, clusters.

    Returns:
        An Estimate, or Undefined where either is.

    Raises:
        DataError: The two have different numbers of subjects.

    Reference: Efron and Tibshirani (1993, chapter 13).
    """
    if first.sizes != second.sizes:
        raise DataError(
            "a paired bootstrap needs the same subjects for both models, not "
            f"{first.sizes[0]} and {second.sizes[0]}"
        )
    values = (first.estimate(), second.estimate())
    for value in values:
        if isinstance(value, Undefined):
            return value
    replicates = [bootstrap_replicates(each, bootstrap) for each in (first, second)]
    unit = "subject" if bootstrap.clusters is None else "cluster"
    return difference_with_interval(values, replicates[0] - replicates[1], bootstrap.level, unit)


def difference_with_interval(
    values: tuple[Result, Result], replicates: Tensor, level: float, unit: str
) -> Result:
    """Return the difference of two values with percentiles of the replicates' differences.

    Args:
        values: Of the first and the second model.
        replicates: First minus second in every resample, NaN where undefined; (replicate). None
            are needed.
        level: Coverage of the interval.
        unit: What was resampled, in words.
    """
    first, second = values
    if isinstance(first, Undefined):
        return first
    if isinstance(second, Undefined):
        return second
    method = f"difference of {first.method}"
    interval = None
    known = replicates[~replicates.isnan()]
    if len(replicates) and len(known) < max(2.0, SMALLEST_SHARE * len(replicates)):
        method += f"; no interval: undefined in {len(replicates) - len(known)} resamples"
    elif len(known):
        tail = (1 - level) / 2
        bounds = torch.quantile(known, known.new_tensor([tail, 1 - tail])).tolist()
        interval = Interval(bounds[0], bounds[1], level)
        method += f"; paired percentile bootstrap, {len(replicates)} resamples by {unit}"
        if len(known) < len(replicates):
            method += f", undefined in {len(replicates) - len(known)}"
    return Estimate(first.value - second.value, interval, method, first.n, first.events)

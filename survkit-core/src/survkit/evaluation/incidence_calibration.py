"""Incidence calibration: how far the mean predicted curve is from the observed one.

The mean, over the time from 0 to the horizon, of the squared difference between the mean predicted
incidence and the observed incidence of the same subjects. With one cause the observed curve is
1 - Kaplan–Meier and this is Kaplan–Meier calibration; with competing causes it is Aalen–Johansen's.
The integral is exact: predictions are straight lines between grid times, the observed curve is a
step function, so that between two neighbouring knots of both the difference is a straight line.

It is differentiable in how often a subject counts, but its derivative vanishes where the curves
agree, so that no normal interval holds near 0: its intervals come from the bootstrap alone.

Reference: Haider, Hoehn, Davis and Greiner (2020), who integrate; divided by the horizon here, so
that it is in squared probabilities whatever the unit of time. Aalen–Johansen in place of
Kaplan–Meier is our extension.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.observed_incidence import incidence_at, unobserved
from survkit.evaluation.part import NO_PROBABILITIES, Part
from survkit.metrics.estimate import Undefined


def incidence_calibration(part: Part) -> Tensor | Undefined:
    """Mean squared difference of mean predicted and observed incidence; (replicate)."""
    table = part.predictions
    if table.cumulative_incidence is None:
        return part.undefined(NO_PROBABILITIES)
    unknown = unobserved(part)
    if unknown is not None:
        return unknown
    duration = table.duration[part.rows]
    jumps = duration[(table.event[part.rows] > 0) & (duration < table.horizon)]
    knots = np.unique(np.concatenate([[0.0], table.time_grid, jumps]))
    weights = part.scored
    at_grid = torch.from_numpy(table.cumulative_incidence[part.rows, part.cause - 1])
    mean = (weights @ at_grid) / weights.sum(dim=1, keepdim=True)
    mean = torch.cat([torch.zeros_like(mean[:, :1]), mean], dim=1)
    predicted = _between(mean, np.concatenate([[0.0], table.time_grid]), knots)
    observed = incidence_at(part, torch.from_numpy(knots[:-1]))
    left, right = predicted[:, :-1] - observed, predicted[:, 1:] - observed
    squares = (left**2 + left * right + right**2) / 3
    integral: Tensor = squares @ torch.from_numpy(np.diff(knots))
    return integral / table.horizon


def _between(values: Tensor, grid: np.ndarray, times: np.ndarray) -> Tensor:
    """Straight lines between grid times; (replicate, time) of (replicate, grid)."""
    right = np.clip(np.searchsorted(grid, times, side="left"), 1, len(grid) - 1)
    share = torch.from_numpy((times - grid[right - 1]) / (grid[right] - grid[right - 1]))
    place = torch.from_numpy(right)
    return values[:, place - 1] * (1 - share) + values[:, place] * share

"""Quantiles of subjects who count several times, for every replicate at once."""

from __future__ import annotations

import torch
from torch import Tensor


def weighted_quantile(values: Tensor, weight: Tensor, probability: float) -> Tensor:
    """Return the quantile of the values, each repeated as often as its weight says.

    For whole numbers it is the usual quantile (linear between order statistics) of the repeated
    values; other weights are treated alike.

    Args:
        values: float64 (replicate, batch).
        weight: >= 0, of the same shape.
        probability: 0..1.

    Returns:
        float64 (replicate).
    """
    ascending, order = torch.sort(values, dim=1)
    until = weight.gather(1, order).cumsum(1)
    position = (until[:, -1:] - 1).clamp(min=0) * probability
    last = values.shape[1] - 1
    low, high = (
        ascending.gather(1, torch.searchsorted(until, at, right=True).clamp(max=last))
        for at in (position.floor(), position.ceil())
    )
    return (low + (position - position.floor()) * (high - low))[:, 0]

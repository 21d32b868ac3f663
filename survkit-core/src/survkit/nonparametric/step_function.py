"""Evaluate a right-continuous step function, and its limit from the left."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.prediction import Times


def step_values(
    knots: Tensor, values: Tensor, times: Times, *, initial: float, side: str = "at"
) -> Tensor:
    """Return the step function that jumps to ``values[..., i]`` at ``knots[i]``.

    Args:
        knots: Increasing; (grid).
        values: Along the last axis, one per knot; (..., grid).
        times: Where to evaluate; before the first knot the function is ``initial``.
        initial: Value before the first knot.
        side: ``"at"`` for f(t), ``"before"`` for f(t-).

    Raises:
        DataError: A time is NaN.
    """
    asked = torch.as_tensor(times, dtype=torch.float64, device=knots.device)
    if bool(asked.isnan().any()):
        raise DataError("times must not be NaN")
    index = torch.searchsorted(knots, asked.reshape(-1), right=side == "at")
    padded = torch.cat([torch.full_like(values[..., :1], initial), values], dim=-1)
    return padded[..., index].reshape(*values.shape[:-1], *asked.shape)

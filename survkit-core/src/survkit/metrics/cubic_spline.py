"""Restricted cubic splines: smooth between the outer knots, straight lines beyond them."""

from __future__ import annotations

import torch
from torch import Tensor


def restricted_cubic_basis(values: Tensor, knots: Tensor) -> Tensor:
    """Return the columns whose combinations are all restricted cubic splines with those knots.

    Args:
        values: float64 (batch).
        knots: At least three, strictly increasing; float64 (knot).

    Returns:
        float64 (batch, knot - 1): the values themselves, then the curved columns.

    Reference: Stone and Koo (1985), scaled as in Harrell (2015, equations 2.25 and 2.26).
    """
    first, before_last, last = knots[0], knots[-2], knots[-1]
    columns = [values]
    for knot in knots[:-2]:
        curved = _cube(values - knot)
        curved = curved - _cube(values - before_last) * (last - knot) / (last - before_last)
        curved = curved + _cube(values - last) * (before_last - knot) / (last - before_last)
        columns.append(curved / (last - first) ** 2)
    return torch.stack(columns, dim=1)


def _cube(values: Tensor) -> Tensor:
    return values.clamp(min=0) ** 3

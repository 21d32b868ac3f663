"""The power transform of Yeo and Johnson, which makes skewed columns more symmetric.

It is monotone, smooth and defined on the whole line, so that a value beyond the training range
needs no clipping.

Reference: Yeo and Johnson (2000), A new family of power transformations to improve normality or
    symmetry,
Biometrika 87, 954-959, equation 2.1 and the profile likelihood of section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

LAMBDA_RANGE = (-4.0, 6.0)
"""Where the power is sought; 1 is the identity. Wider powers only chase single outliers."""

_GOLDEN = 0.6180339887498949
_ITERATIONS = 60


def yeo_johnson(values: Tensor, power: Tensor) -> Tensor:
    """Transform values (..., column) by one power per column (column).

    For x >= 0 it is ((x + 1)^p - 1) / p, for x < 0 it is -((1 - x)^(2 - p) - 1) / (2 - p), and
    log1p in the limits.
    """
    right = _boxcox_of_one_plus(values.clamp(min=0), power)
    left = _boxcox_of_one_plus((-values).clamp(min=0), 2 - power)
    return torch.where(values >= 0, right, -left)


def _boxcox_of_one_plus(values: Tensor, power: Tensor) -> Tensor:
    logarithm = values.log1p()
    safe = torch.where(power.abs() < 1e-8, torch.ones_like(power), power)
    return torch.where(power.abs() < 1e-8, logarithm, torch.expm1(safe * logarithm) / safe)


def fit_yeo_johnson(column: Tensor) -> Tensor:
    """Return the power of greatest normal profile likelihood of one column (float64, no NaN).

    Golden-section search over :data:`LAMBDA_RANGE`; deterministic. A constant column gets 1, the
    identity.
    """
    if len(column) < 2 or bool((column == column[0]).all()):
        return column.new_ones(())
    low, high = LAMBDA_RANGE
    inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_inner, at_outer = _log_likelihood(column, inner), _log_likelihood(column, outer)
    for _ in range(_ITERATIONS):
        if at_inner < at_outer:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + _GOLDEN * (high - low)
            at_outer = _log_likelihood(column, outer)
        else:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - _GOLDEN * (high - low)
            at_inner = _log_likelihood(column, inner)
    return column.new_tensor((low + high) / 2)


def _log_likelihood(column: Tensor, power: float) -> float:
    """Profile log likelihood but a constant: -n/2 log variance + (p - 1) sum sign(x) log1p|x|."""
    transformed = yeo_johnson(column, column.new_tensor(power))
    jacobian = (power - 1) * (column.sign() * column.abs().log1p()).sum()
    variance = transformed.var(correction=0).clamp(min=torch.finfo(column.dtype).tiny)
    return float(jacobian - len(column) / 2 * variance.log())

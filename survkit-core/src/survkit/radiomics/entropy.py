"""Entropy in bits, with the small number that keeps the logarithm of nothing finite."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = torch.finfo(torch.float64).eps
"""Added to every probability under a logarithm, as pyradiomics defines its entropies."""


def entropy(probability: Tensor, dim: tuple[int, ...] = (-1,)) -> Tensor:
    """Return ``-sum p log2(p + eps)`` over the given axes; NaN where the p are."""
    return -(probability * torch.log2(probability + EPSILON)).sum(dim=dim)

"""The rule c / P: tokens stay that get at least c times what an even share of attention gives."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDING = 1e-5
"""How far below the threshold a share still counts as equal to it, relative."""


def above_threshold(share: Tensor, threshold: float, real: Tensor | None = None) -> Tensor:
    """Return which tokens have at least ``threshold / P`` of the attention; bool (..., token).

    P is the number of tokens that were attended to. The one with the most is kept always. Equality
    holds up to rounding in float32, so that a uniform map is not pruned at a threshold of one.

    Args:
        share: Attention or importance that sums to one over its last axis, zero in filling;
            (..., token).
        threshold: In units of the uniform share, at least 0.
        real: Which entries are no filling; bool (..., token), ``None`` if all are.
    """
    everyone = torch.ones_like(share, dtype=torch.bool) if real is None else real
    count = everyone.sum(dim=-1, keepdim=True)
    most = torch.zeros_like(everyone).scatter(-1, share.argmax(dim=-1, keepdim=True), True)
    return ((share * count >= threshold * (1 - ROUNDING)) | most) & everyone

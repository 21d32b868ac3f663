"""Attention rolled out over all blocks: how much of the class token came from each patch."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit_radvit.vit.kept_patches import Places


class Rollout:
    """Multiplies the attention of the blocks as they come.

    Each block counts with ``0.5 (A + I)``, A the mean over heads, the half of I for the residual
    path; rows sum to one, so that each row of the product says from which of the first block's
    tokens a token comes. Where patches are dropped on the way, their rows end there; what the
    others had taken from them stays.

    Args:
        places: The patches of the first block.
        prefix: Class and register tokens before them.

    Reference: Abnar, Zuidema (2020), Quantifying attention flow in transformers, equation 1.
    """

    def __init__(self, places: Places, prefix: int) -> None:
        self._places, self._prefix = places, prefix
        self._product: Tensor | None = None

    def add(self, weights: Tensor) -> None:
        """Take the next block's weights, (batch, query, key)."""
        own = torch.eye(weights.shape[1], device=weights.device, dtype=weights.dtype)
        mixed = 0.5 * (weights + own)
        self._product = mixed if self._product is None else mixed @ self._product

    def narrow(self, within: Places) -> None:
        """Let go the patches that are not among these."""
        assert self._product is not None
        front, patches = self._product[:, : self._prefix], self._product[:, self._prefix :]
        self._product = torch.cat([front, within.take(patches)], dim=1)

    def shares(self, patches: int) -> Tensor:
        """Return the class token's row over the patches of the grid, summing to one."""
        assert self._product is not None
        row = self._product[:, 0, self._prefix :]
        return self._places.lay(row / row.sum(dim=1, keepdim=True), patches)

"""Attention of the patches of one modality over those of another."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn


class PatchProjections(nn.Module):
    """Query, key and value of a modality's patches, all heads side by side and without bias.

    Args:
        dim: Width of a patch, d_model.
        heads: Attention heads.
        head_dim: Width of a head, d_k.
    """

    def __init__(self, dim: int, *, heads: int, head_dim: int) -> None:
        super().__init__()
        width = heads * head_dim
        self.query = nn.Linear(dim, width, bias=False)
        self.key = nn.Linear(dim, width, bias=False)
        self.value = nn.Linear(dim, width, bias=False)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, key and value, each (batch, patch, heads * head_dim)."""
        return self.query(patches), self.key(patches), self.value(patches)


def attention_weights(query: Tensor, key: Tensor, heads: int) -> Tensor:
    """Return softmax_j(Q[i] . K[j] / sqrt(d_k)); (batch, head, query patch, key patch).

    In float32 or wider, so that the weights of a row sum to one in half precision too.
    """
    query, key = _by_head(query, heads), _by_head(key, heads)
    scores = (query / sqrt(query.shape[-1])) @ key.transpose(-2, -1)
    return scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))


def attended(weights: Tensor, value: Tensor) -> Tensor:
    """Return the weighted sums of values (batch, key patch, heads * head_dim), heads side by side;
    (batch, query patch, heads * head_dim).
    """
    mixed = weights.to(value.dtype) @ _by_head(value, weights.shape[1])
    return mixed.transpose(1, 2).flatten(2)


def _by_head(projected: Tensor, heads: int) -> Tensor:
    """Return (batch, head, patch, head_dim) of (batch, patch, heads * head_dim)."""
    return projected.reshape(*projected.shape[:2], heads, -1).transpose(1, 2)

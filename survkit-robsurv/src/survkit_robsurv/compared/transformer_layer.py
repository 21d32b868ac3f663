"""A layer of a transformer, normalised first."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class TransformerLayer(nn.Module):
    """Multi-head self-attention and a feed-forward network, each normalised before and residual.

    Reference: Dosovitskiy et al. (2021), An image is worth 16x16 words, ICLR.
    """

    def __init__(self, dim: int, *, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm = nn.LayerNorm(dim)
        # Keys have no bias: it would shift all scores of a query alike, which a softmax ignores.
        self.query, self.key = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.value, self.output = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, feed_forward),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(feed_forward, dim),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Return the tokens (batch, token, dim) after each has looked at the real ones.

        A subject without any real token looks at all, so that nothing becomes NaN.
        """
        batch, count, dim = tokens.shape
        normed = self.norm(tokens)
        query, key, value = (
            layer(normed).reshape(batch, count, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        seen = real | ~real.any(dim=1, keepdim=True)
        mixed = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=seen[:, None, None, :],
            dropout_p=self.dropout if self.training else 0.0,
        )
        tokens = tokens + self.output(mixed.transpose(1, 2).reshape(batch, count, dim))
        result: Tensor = tokens + self.feed_forward(tokens)
        return torch.where(real[:, :, None], result, 0)

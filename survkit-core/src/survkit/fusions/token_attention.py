"""The layers of attention fusion: a transformer block, and attention pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class AttentionBlock(nn.Module):
    """Multi-head self-attention and a feed-forward network, each normalised before and residual.

    Reference: Vaswani et al. (2017), Attention is all you need; normalisation first as in Xiong et
    al. (2020), On layer normalization in the transformer architecture.
    """

    def __init__(
        self, dim: int, *, heads: int, dropout: float, feed_forward: int | None = None
    ) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        inner = 2 * dim if feed_forward is None else feed_forward
        self.norm = nn.LayerNorm(dim)
        # Keys have no bias: it would shift all scores of a query alike, which a softmax ignores.
        self.query, self.key = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.value, self.output = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, inner),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(inner, dim),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor, attended: Tensor) -> Tensor:
        """Return the tokens (batch, token, dim) after each has looked at those attended.

        Args:
            tokens: (batch, token, dim).
            attended: Which tokens may be looked at, at least one; bool (batch, token).
        """
        batch, count, dim = tokens.shape
        normed = self.norm(tokens)
        query, key, value = (
            layer(normed).reshape(batch, count, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=attended[:, None, None, :],
            dropout_p=self.dropout if self.training else 0.0,
        )
        tokens = tokens + self.output(mixed.transpose(1, 2).reshape(batch, count, dim))
        result: Tensor = tokens + self.feed_forward(tokens)
        return result


class TokenPool(nn.Module):
    """Normalises tokens and scores them by a learned query."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.query = nn.Parameter(torch.randn(dim) / dim)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normalised tokens (batch, token, dim) and their scores (batch, token)."""
        normed = self.norm(tokens)
        return normed, normed @ self.query.to(normed.dtype)

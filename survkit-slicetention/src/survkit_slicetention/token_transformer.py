"""A transformer over tokens with a class token in front, and where the class token looked."""

from __future__ import annotations

from math import log
from typing import Literal, cast

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError

Positions = Literal["none", "sinusoidal"]


class TokenTransformer(nn.Module):
    """Layers of self-attention, normalised first, over a learned class token and the real tokens.

    Padding is no key for anybody. The layers are PyTorch's, with ReLU; there is no normalisation
    after the last one.

    Args:
        dim: Width of the tokens, a multiple of ``heads``.
        heads: Attention heads.
        layers: How many; each reads what the one before gives.
        feed_forward: Width within the feed-forward part.
        dropout: Within the layers.
        positions: ``sinusoidal`` adds the place of each token; ``none`` lets the order be.

    Raises:
        ConfigError: A number out of range.

    Reference: Vaswani et al. (2017), Attention is all you need; Devlin et al. (2019), BERT, for the
        class token; Xiong et al. (2020), On layer normalization in the transformer architecture.
    """

    def __init__(
        self,
        dim: int,
        *,
        heads: int,
        layers: int,
        feed_forward: int,
        dropout: float,
        positions: Positions,
    ) -> None:
        super().__init__()
        if heads < 1 or dim % heads or layers < 1 or feed_forward < 1:
            raise ConfigError(
                f"heads must divide the width of the tokens, {dim}, and layers and feed_forward be "
                f"positive, not heads={heads}, layers={layers}, feed_forward={feed_forward}"
            )
        if not 0 <= dropout < 1 or positions not in ("none", "sinusoidal"):
            raise ConfigError(
                "dropout must be in [0, 1) and positions none or sinusoidal, not "
                f"{dropout}, {positions!r}"
            )
        self.positions = positions
        self.class_token = nn.Parameter(torch.randn(dim) * 0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                dim, heads, feed_forward, dropout, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )

    def forward(self, tokens: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the class token (batch, dim), the tokens (batch, token, dim) and the weights.

        Args:
            tokens: (batch, token, dim).
            real: Which of them are real; bool (batch, token).

        Returns:
            The last are the weights of the class token over real tokens in the last layer, the mean
            over heads, summing to one (zeros where there is no real token); (batch, token), without
            a gradient.
        """
        if self.positions == "sinusoidal":
            tokens = tokens + sinusoids(tokens.shape[1], tokens.shape[2]).to(tokens)
        tokens = torch.where(real[:, :, None], tokens, 0)
        first = self.class_token.to(tokens.dtype).expand(len(tokens), 1, -1)
        whole = torch.cat([first, tokens], dim=1)
        padding = torch.cat([real.new_zeros(len(real), 1), ~real], dim=1)
        for layer in self.layers:
            before = whole
            whole = layer(whole, src_key_padding_mask=padding)
        weights = _first_row(cast(nn.TransformerEncoderLayer, self.layers[-1]), before, padding)
        share = weights[:, 1:]
        total = share.sum(dim=1, keepdim=True)
        return whole[:, 0], whole[:, 1:], share / torch.where(total > 0, total, 1)


def sinusoids(count: int, dim: int) -> Tensor:
    """Return the position code of Vaswani et al. (2017), (count, dim): sines, then cosines."""
    rate = torch.exp(-log(10000.0) * torch.arange((dim + 1) // 2) / max(dim // 2, 1))
    angle = torch.arange(count)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)[:, :dim]


@torch.no_grad()
def _first_row(layer: nn.TransformerEncoderLayer, tokens: Tensor, padding: Tensor) -> Tensor:
    """Return the weights with which a layer's first token reads all of them, (batch, token).

    Computed beside the layer: it would otherwise have to give weights of every pair, and those of
    its training with dropout in them.
    """
    attention = layer.self_attn
    dim, heads = attention.embed_dim, attention.num_heads
    normed = layer.norm1(tokens)
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    query = nn.functional.linear(normed[:, 0], weight[:dim], bias[:dim])
    key = nn.functional.linear(normed, weight[dim : 2 * dim], bias[dim : 2 * dim])
    query = query.reshape(len(query), heads, -1)
    key = key.reshape(*key.shape[:2], heads, -1)
    scores = torch.einsum("bhd,bthd->bht", query, key) / (dim / heads) ** 0.5
    scores = scores.masked_fill(padding[:, None], -torch.inf)
    weights: Tensor = scores.softmax(dim=2).mean(dim=1)
    return weights

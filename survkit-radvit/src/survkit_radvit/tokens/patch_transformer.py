"""The transformer over the patches of a radiomics map, and how its class token attends to them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.fusions.token_attention import AttentionBlock


class PatchTransformer(nn.Module):
    """Features of patches to tokens: linear, class token, positions, blocks, normalisation.

    The blocks normalise first (GELU within), and their keys have no bias: it would have no effect.

    Args:
        features: Of a patch.
        patches: How many there are.
        dim: Width of a token.
        heads: Attention heads; they must divide ``dim``.
        hidden: Width within a block's feed-forward part.
        dropout: Within the blocks.
        depth: How many blocks.
    """

    def __init__(
        self,
        features: int,
        patches: int,
        *,
        dim: int,
        heads: int,
        hidden: int,
        dropout: float,
        depth: int,
    ) -> None:
        super().__init__()
        if min(dim, heads, hidden, depth) < 1 or dim % heads:
            raise ConfigError(
                "dim, heads, hidden and depth must be at least 1 and dim a multiple of heads, not "
                f"dim={dim}, heads={heads}, hidden={hidden}, depth={depth}"
            )
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout must lie in [0, 1), not {dropout:g}")
        self.project = nn.Linear(features, dim)
        self.class_token = nn.Parameter(torch.randn(dim) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, patches + 1, dim) * 0.02)
        self.blocks = nn.ModuleList(
            AttentionBlock(dim, heads=heads, dropout=dropout, feed_forward=hidden)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the class token (batch, dim), the patches (batch, patch, dim) and the weights with
        which the class token reads the patches in the last block.

        Args:
            features: (batch, patch, feature), of the dtype of the weights.

        Returns:
            The weights are the mean over heads, without what the class token gives itself, summing
            to one over the patches; (batch, patch), without a gradient.
        """
        patches = self.project(features)
        first = self.class_token.to(patches.dtype).expand(len(patches), 1, -1)
        tokens = torch.cat([first, patches], dim=1) + self.positions
        attended = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        for block in self.blocks:
            before = tokens
            tokens = block(tokens, attended)
        tokens = self.norm(tokens)
        last = self.blocks[-1]
        assert isinstance(last, AttentionBlock)
        return tokens[:, 0], tokens[:, 1:], _class_weights(last, before)


@torch.no_grad()
def _class_weights(block: AttentionBlock, tokens: Tensor) -> Tensor:
    """Return how a block's first token attends to the others, (batch, token - 1); the block itself
    computes no weights that one could read.
    """
    normed = block.norm(tokens)
    query = block.query(normed[:, 0]).unflatten(1, (block.heads, -1))
    key = block.key(normed).unflatten(2, (block.heads, -1))
    scores = torch.einsum("bhd,bthd->bht", query, key) / query.shape[2] ** 0.5
    shares: Tensor = scores.softmax(dim=2, dtype=torch.promote_types(scores.dtype, torch.float32))
    share = shares.mean(dim=1)[:, 1:]
    total = share.sum(dim=1, keepdim=True)
    weights = share / torch.where(total > 0, total, 1)
    return weights

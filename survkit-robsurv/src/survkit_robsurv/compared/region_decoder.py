"""One decoder per region, which lets through what belongs to it (XSurv)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from survkit_robsurv.compared.conv_blocks import ResidualBlock, doubled, group_norm


class RegionDecoder(nn.Module):
    """Doubles the resolution level by level; at each, a gate weighs what the encoder saw there.

    Args:
        channels: Width of each level of the encoder, the finest first.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        steps = list(pairwise(list(channels)[::-1]))
        self.ups = nn.ModuleList(doubled(deep, width) for deep, width in steps)
        self.gates = nn.ModuleList(AttentionGate(width) for _, width in steps)
        self.blocks = nn.ModuleList(ResidualBlock(2 * width, width) for _, width in steps)

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Return the feature maps of the region, the coarsest first.

        Args:
            levels: Feature maps of the encoder, the finest first; (batch, channel, z, y, x).
        """
        features, found = levels[-1], []
        parts = zip(self.ups, self.gates, self.blocks, levels[-2::-1], strict=True)
        for up, gate, block, skip in parts:
            features = up(features)
            features = block(torch.cat([features, gate(skip, features)], dim=1))
            found.append(features)
        return found


class AttentionGate(nn.Module):
    """Weighs every position by how well it goes with what the decoder looks for; in (0, 1).

    Reference: Oktay et al. (2018), Attention U-Net, arXiv 1804.03999, additive gate. XSurv's
    region-specific gate is drawn as of this kind; its exact formula is unknown here.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = max(channels // 2, 2)
        self.of_skip = nn.Conv3d(channels, half, 1, bias=False)
        self.of_decoder = nn.Conv3d(channels, half, 1, bias=False)
        self.norm = group_norm(half)
        self.score = nn.Conv3d(half, 1, 1)

    def forward(self, skip: Tensor, decoder: Tensor) -> Tensor:
        """Return the skip, weighed; both are (batch, channel, z, y, x)."""
        both = self.norm(self.of_skip(skip) + self.of_decoder(decoder))
        result: Tensor = skip * self.score(torch.relu(both)).sigmoid()
        return result

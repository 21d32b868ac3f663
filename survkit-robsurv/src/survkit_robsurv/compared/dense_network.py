"""A small densely connected network whose blocks are all looked at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit_robsurv.compared.conv_blocks import PooledFeatures, group_norm


class DenseNetwork(nn.Module):
    """Dense blocks, halved between them, and a vector from each.

    Args:
        channels: Of the image.
        layers: Number of layers of each block.
        growth: Channels that a layer adds.
        features: Width of the vector of each block.

    Reference: Huang, Liu, van der Maaten, Weinberger (2017), Densely connected convolutional
    networks, CVPR.
    """

    def __init__(self, channels: int, *, layers: Sequence[int], growth: int, features: int) -> None:
        super().__init__()
        if not layers or min(layers) < 1 or growth < 2:
            raise ConfigError(
                "a dense network needs at least one block of at least one layer and a growth of 2 "
                f"or more, not {list(layers)} and {growth}"
            )
        width = 2 * growth
        self.stem = nn.Conv3d(channels, width, 3, stride=2, padding=1, bias=False)
        self.blocks, self.pools, self.transitions = (nn.ModuleList() for _ in range(3))
        for position, count in enumerate(layers):
            if position:
                half = width // 2
                self.transitions.append(_transition(width, half))
                width = half
            self.blocks.append(
                nn.ModuleList(_layer(width + growth * number, growth) for number in range(count))
            )
            width += growth * count
            self.pools.append(nn.Sequential(group_norm(width), PooledFeatures(width, features)))
        self.dim = features * len(layers)

    def forward(self, image: Tensor) -> Tensor:
        """Return the vectors of all blocks side by side, (batch, block * features)."""
        features, found = self.stem(image), []
        for position, (block, pool) in enumerate(zip(self.blocks, self.pools, strict=True)):
            if position:
                features = self.transitions[position - 1](features)
            for layer in block:  # type: ignore[attr-defined]
                features = torch.cat([features, layer(features)], dim=1)
            found.append(pool(features))
        return torch.cat(found, dim=1)


def _layer(channels: int, growth: int) -> nn.Sequential:
    return nn.Sequential(
        group_norm(channels), nn.ReLU(), nn.Conv3d(channels, growth, 3, padding=1, bias=False)
    )


def _transition(channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        group_norm(channels),
        nn.ReLU(),
        nn.Conv3d(channels, out_channels, 1, bias=False),
        nn.AvgPool3d(2, ceil_mode=True),
    )

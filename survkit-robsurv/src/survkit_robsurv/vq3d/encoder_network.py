"""From a volume to a grid of 1/16 of its size along each axis."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit_robsurv.vq3d.conv3 import Conv3
from survkit_robsurv.vq3d.residual_block import (
    ResidualBlock,
    activation_of,
    group_norm,
    set_weights,
)

HALVINGS = 4


class EncoderNetwork(nn.Module):
    """Five convolutions, each with normalisation, leaky ReLU and a residual block.

    The first four have kernels of 4 and stride 2, the last 3 and stride 1.

    Args:
        in_channels: Of the volume.
        channels: Width after each convolution, five numbers.

    Reference: Zhou, Khalvati (2024), MIDL, the 3-D VQ-GAN that Farooq et al. (2025), arXiv
        2505.02529, cite for their encoder.
    """

    def __init__(self, in_channels: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        before = in_channels
        for number, width in enumerate(channels):
            halving = nn.Conv3d(before, width, 4, stride=2, padding=1)
            self.stages.append(
                nn.Sequential(
                    halving if number < HALVINGS else Conv3(before, width),
                    group_norm(width),
                    activation_of("leaky"),
                    ResidualBlock(width, "leaky"),
                )
            )
            before = width
        set_weights(self)

    def forward(self, values: Tensor) -> Tensor:
        """Return features (batch, channel, z/16, y/16, x/16) of (batch, channel, z, y, x)."""
        features = values
        for number, stage in enumerate(self.stages):
            assert isinstance(stage, nn.Sequential)
            features = stage[0](features)
            if number == 0:  # with few channels a volume does not say which layout it has
                features = features.contiguous(memory_format=torch.channels_last_3d)
            features = stage[1:](features)
        return features

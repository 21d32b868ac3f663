"""From the grid of tokens back to the volume."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from survkit_robsurv.vq3d.residual_block import (
    ResidualBlock,
    activation_of,
    group_norm,
    set_weights,
)
from survkit_robsurv.vq3d.upsample_conv import UpsampleConv, Upsampling


class DecoderNetwork(nn.Module):
    """A residual block, four times an upsampling convolution with normalisation, ReLU and residual
    block, and a convolution of 1 to values in (-1, 1).

    The block before the first upsampling is not in the cited network, which has four; RobSurv
    speaks of five.

    Args:
        channels: Width on the grid and after each upsampling, five numbers.
        out_channels: Of the volume.
        upsampling: See :data:`survkit_robsurv.vq3d.upsample_conv.Upsampling`.
        checkpointing: Compute the last residual block, the largest, again in the backward instead
            of keeping what is inside it.

    Reference: Zhou, Khalvati (2024), MIDL; Farooq et al. (2025), arXiv 2505.02529.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        out_channels: int,
        *,
        upsampling: Upsampling,
        checkpointing: bool,
    ) -> None:
        super().__init__()
        self.checkpointing = checkpointing
        self.first = ResidualBlock(channels[0], "relu")
        self.upsamplings = nn.ModuleList()
        self.blocks = nn.ModuleList()
        for before, width in pairwise(channels):
            self.upsamplings.append(
                nn.Sequential(
                    UpsampleConv(before, width, upsampling),
                    group_norm(width),
                    activation_of("relu"),
                )
            )
            self.blocks.append(ResidualBlock(width, "relu"))
        self.last = nn.Conv3d(channels[-1], out_channels, 1)
        set_weights(self)

    def forward(self, features: Tensor) -> Tensor:
        """Return volumes (batch, channel, 16 z, 16 y, 16 x) of (batch, channel, z, y, x)."""
        features = self.first(features.contiguous(memory_format=torch.channels_last_3d))
        largest = self.blocks[-1]
        for upsampling, block in zip(self.upsamplings, self.blocks, strict=True):
            features = upsampling(features)
            if self.checkpointing and block is largest and torch.is_grad_enabled():
                features = checkpoint(
                    block, features, use_reentrant=False, preserve_rng_state=False
                )
            else:
                features = block(features)
        volume: Tensor = self.last(features).tanh()
        return volume

    @torch.no_grad()
    def start_at(self, bias: Tensor | None) -> None:
        """Begin with volumes whose values lie near one per channel: the bias before the tanh.

        The features before it are never negative. From a bias of 0, the way to a mostly dark volume
        turns the weights of the last convolution negative, all of them where it is narrow, and
        then nothing can become brighter than the bias for a long time. From the mean, weights of
        both signs are left to tell bright from dark.
        """
        if bias is not None and self.last.bias is not None:
            self.last.bias.copy_(bias)

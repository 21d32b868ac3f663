"""One branch per volume, joined at every level (XSurv)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.fusions.modalities import where_present
from survkit_robsurv.compared.conv_blocks import ResidualBlock
from survkit_robsurv.compared.cross_attention import HybridParallelBlock


class MergingEncoder(nn.Module):
    """Convolutions, then self-attention, then cross-attention beside convolutions.

    Args:
        volumes: Number of volumes.
        channels: Width of each level, halved between them.
        self_levels: Levels that attend to themselves.
        cross_levels: The last levels, which attend to the other volumes.
        heads: Attention heads.
        window: Edge of the windows of attention in positions.
    """

    def __init__(
        self,
        volumes: int,
        channels: Sequence[int],
        *,
        self_levels: int,
        cross_levels: int,
        heads: int,
        window: int,
    ) -> None:
        super().__init__()
        plain = len(channels) - self_levels - cross_levels
        self.volumes = volumes
        self.levels = nn.ModuleList()
        for level, (before, width) in enumerate(pairwise((1, *channels))):
            if level < plain:
                self.levels.append(
                    nn.ModuleList(ResidualBlock(before, width) for _ in range(volumes))
                )
                continue
            self.levels.append(
                HybridParallelBlock(
                    volumes,
                    before,
                    width,
                    heads=heads,
                    window=window,
                    look="self" if level < plain + self_levels else "cross",
                )
            )
        self.merges = nn.ModuleList(nn.Conv3d(volumes * width, width, 1) for width in channels)

    def forward(self, image: Tensor, present: Tensor) -> list[Tensor]:
        """Return the joined feature maps of all levels, the finest first.

        Args:
            image: (batch, volume, z, y, x).
            present: Who has which volume; bool (batch, volume).
        """
        branches = [image[:, position : position + 1] for position in range(self.volumes)]
        joined = []
        for position, (level, merge) in enumerate(zip(self.levels, self.merges, strict=True)):
            if position:
                branches = [nn.functional.max_pool3d(branch, 2) for branch in branches]
            if isinstance(level, HybridParallelBlock):
                branches = level(branches, present)
            else:
                branches = [
                    block(branch)
                    for block, branch in zip(level, branches, strict=True)  # type: ignore[call-overload]
                ]
            there = [where_present(each, present[:, i]) for i, each in enumerate(branches)]
            joined.append(merge(torch.cat(there, dim=1)))
        return joined


def check_levels(
    channels: Sequence[int],
    shape: Sequence[int],
    self_levels: int,
    cross_levels: int,
    heads: int,
    window: int,
) -> None:
    """Refuse levels, heads and windows that do not go together.

    Raises:
        ConfigError: More levels of attention than levels below the first, or heads that do not
            divide a width.
        CompositionError: A level that cannot be cut into windows.
    """
    attending = self_levels + cross_levels
    if min(self_levels, cross_levels) < 0 or attending >= len(channels):
        raise ConfigError(
            "self_levels and cross_levels must not be negative and leave one of the "
            f"{len(channels)} levels to convolutions, not {self_levels} and {cross_levels}"
        )
    if heads < 1 or window < 1:
        raise ConfigError(f"heads and window must be at least 1, not {heads} and {window}")
    for level in range(len(channels) - attending, len(channels)):
        if channels[level] % heads:
            raise ConfigError(
                f"heads must divide the width of every level that attends, but {channels[level]} "
                f"is no multiple of heads={heads}"
            )
        axes = [axis // 2**level for axis in shape]
        if any(axis % min(window, axis) for axis in axes):
            raise CompositionError(
                f"level {level} has {' x '.join(map(str, axes))} positions, which windows of "
                f"window={window} do not tile; set a window that does"
            )

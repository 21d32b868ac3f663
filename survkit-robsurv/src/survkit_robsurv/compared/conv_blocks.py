"""The convolutional blocks that the compared networks are built of.

Group normalisation throughout, where the publications normalise over the batch: at one or two
volumes in memory a batch has no statistics. Convolutions before it have no bias, which it would
remove.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError


def group_norm(channels: int) -> nn.GroupNorm:
    """Return group normalisation of the most groups, up to 8, that leave 2 channels in each."""
    groups = max(g for g in range(1, 9) if channels % g == 0 and (channels // g > 1 or g == 1))
    return nn.GroupNorm(groups, channels)


class ResidualBlock(nn.Module):
    """Two convolutions of 3 voxels, each normalised, around which the input goes.

    Where the number of channels changes, the input goes through a convolution of 1 voxel.

    Reference: He, Zhang, Ren, Sun (2016), Deep residual learning for image recognition, CVPR.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(channels, out_channels, 3, padding=1, bias=False),
            group_norm(out_channels),
            nn.ReLU(),
            nn.Conv3d(out_channels, out_channels, 3, padding=1, bias=False),
            group_norm(out_channels),
        )
        same = channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv3d(channels, out_channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (batch, out_channels, z, y, x)."""
        return torch.relu(self.body(features) + self.shortcut(features))


class UpBlock(nn.Module):
    """Doubles the resolution, joins what the encoder saw there, and convolves."""

    def __init__(self, channels: int, skip: int, out_channels: int) -> None:
        super().__init__()
        self.up = doubled(channels, out_channels)
        self.block = ResidualBlock(out_channels + skip, out_channels)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Return features of the skip's resolution."""
        result: Tensor = self.block(torch.cat([self.up(features), skip], dim=1))
        return result


def doubled(channels: int, out_channels: int) -> nn.ConvTranspose3d:
    """Return a transposed convolution that doubles every axis."""
    return nn.ConvTranspose3d(channels, out_channels, 2, stride=2)


class PooledFeatures(nn.Module):
    """A convolution of 1 voxel, a ReLU and the mean over positions: a vector of a feature map."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.project = nn.Conv3d(channels, features, 1)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return (batch, features)."""
        return torch.relu(self.project(feature_map)).mean(dim=(2, 3, 4))


def check_channels(channels: Sequence[int], shape: Sequence[int], owner: str) -> None:
    """Refuse widths that are none, and volumes that cannot be halved between the levels.

    Raises:
        ConfigError: Fewer than two levels, or a width below 2.
        CompositionError: An axis is not a multiple of 2^(levels - 1) voxels.
    """
    if len(channels) < 2 or min(channels) < 2:
        raise ConfigError(
            f"channels must name at least two levels of 2 or more, not {list(channels)}"
        )
    factor = 2 ** (len(channels) - 1)
    if any(axis % factor for axis in shape):
        raise CompositionError(
            f"{owner} halves the volume {len(channels) - 1} times, so its axes must be multiples "
            f"of {factor} voxels, not {' x '.join(map(str, shape))}; prepare another size or give "
            "fewer channels="
        )

"""Nearest-neighbour upsampling by 2 and a convolution of 3, as one transposed convolution."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from survkit_robsurv.vq3d.conv3 import Conv3

Upsampling = Literal["transposed", "plain"]
"""``plain`` upsamples and convolves; ``transposed`` gives the same with 8 of 27 products."""


class UpsampleConv(Conv3):
    """Doubles each axis by repeating voxels, then convolves with a kernel of 3.

    Two neighbouring taps of three often meet copies of the same voxel, so along an axis the taps
    (w0, w1, w2) are those of a transposed convolution of kernel 4 and stride 2,
    (w2, w1 + w2, w0 + w1, w0). The weights are those of the plain form, whichever is computed.

    Args:
        in_channels: Of the small grid.
        out_channels: Of the large one.
        upsampling: How it is computed, see :data:`Upsampling`.
    """

    def __init__(self, in_channels: int, out_channels: int, upsampling: Upsampling) -> None:
        super().__init__(in_channels, out_channels)
        self.upsampling = upsampling

    def forward(self, features: Tensor) -> Tensor:
        """Return (batch, out_channels, 2 z, 2 y, 2 x) of (batch, in_channels, z, y, x)."""
        if self.upsampling == "plain":
            return super().forward(functional.interpolate(features, scale_factor=2.0))
        kernel = self.weight.transpose(0, 1)
        for axis in (2, 3, 4):
            first, middle, last = kernel.unbind(axis)
            kernel = torch.stack((last, middle + last, first + middle, first), dim=axis)
        return functional.conv_transpose3d(features, kernel, self.bias, stride=2, padding=1)

"""A convolution of 3 that gives finite gradients in half precision on the CPU too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_HALF = (torch.bfloat16, torch.float16)
_FAULTY_DEPTH = 2


class Conv3(nn.Conv3d):
    """Convolution with a kernel of 3, stride 1 and padding 1.

    Where the grid is 2 deep, the weight gradient of PyTorch's bfloat16 convolution on the CPU reads
    memory that nobody has written (2.14.1 with oneDNN; NaN in most runs, in none at depth 1 or 3).
    There it is computed in float32, which on such a grid costs nothing.

    Args:
        in_channels: Of the features.
        out_channels: Of the result.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return (batch, out_channels, z, y, x) of (batch, in_channels, z, y, x)."""
        if features.device.type != "cpu" or features.shape[2] != _FAULTY_DEPTH:
            return super().forward(features)
        if not torch.is_autocast_enabled("cpu") and self.weight.dtype not in _HALF:
            return super().forward(features)
        bias = None if self.bias is None else self.bias.float()
        with torch.autocast("cpu", enabled=False):
            wide = functional.conv3d(features.float(), self.weight.float(), bias, padding=1)
        return wide.to(features.dtype)

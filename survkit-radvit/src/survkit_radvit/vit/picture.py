"""A picture as the network wants it: from its darkest to its brightest pixel, three channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def stretched(values: Tensor) -> Tensor:
    """Return each picture (batch, channel, y, x) from 0, its lowest value, to 1, its highest.

    A picture of one value everywhere becomes 0 everywhere.
    """
    axes = tuple(range(1, values.ndim))
    low = values.amin(dim=axes, keepdim=True)
    width = values.amax(dim=axes, keepdim=True) - low
    return (values - low) / torch.where(width > 0, width, 1)


class PictureScale(nn.Module):
    """Stretches each picture by itself, then takes the mean and SD that the weights were learnt
    with.

    One grey channel is repeated to three, so that the network and its weights stay as published;
    three channels are stretched by their common lowest and highest value.
    """

    def __init__(self, mean: tuple[float, ...], sd: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        self.register_buffer("sd", torch.tensor(sd).reshape(1, -1, 1, 1))

    def forward(self, values: Tensor) -> Tensor:
        """Return (batch, 3, y, x)."""
        mean, sd = self.get_buffer("mean"), self.get_buffer("sd")
        return (stretched(values).expand(-1, len(mean[0]), -1, -1) - mean) / sd

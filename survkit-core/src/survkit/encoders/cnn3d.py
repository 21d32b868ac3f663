"""A small plain convolutional network for volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import check_dropout
from survkit.encoders.volume_trunk import Norm, check_choice, check_volume, halved, set_norm
from survkit.errors import ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec

Pooling = Literal["mean-max", "mean", "max"]


class CNN3DEncoder(nn.Module):
    """Encodes a volume by a few convolutions; the positions of the last feature map are tokens.

    For small volumes and some hundreds of subjects, where a residual network learns its training
    subjects by heart. Every layer is a convolution of 3 voxels, a normalisation and a ReLU.

    The summary is a linear map of each channel's mean over the positions, which tells how much of
    something is there, beside its maximum, which tells how strong it is; a lesion's extent and its
    uptake, say. A token is the same map of its own position's features, so a feature map of one
    position is its own summary.

    Args:
        input: The volume's channels and size; at least 16 voxels along each axis.
        dim: Width of the summary and the tokens.
        channels: Width of each layer.
        halvings: How many layers, from the first, have stride 2: one token per
            ``2 ** halvings`` voxels along each axis, rounded up.
        pooling: What the summary sees of each channel.
        dropout: Dropout rate of the pooled channels; tokens are mapped without.
        norm: ``"batch"`` for micro-batches of several subjects; ``"group"`` and ``"instance"`` do
            not depend on the other subjects, and so suit micro-batches of one. All but ``"batch"``
            hide a part of the absolute intensities, which in quantitative images may be the signal.

    Raises:
        CompositionError: The input is not one volume per subject of that size.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        dim: int = 16,
        channels: Sequence[int] = (16, 32, 32),
        halvings: int = 2,
        pooling: Pooling = "mean-max",
        dropout: float = 0.0,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        check_volume(input, "CNN3DEncoder")
        check_choice("pooling", pooling, Pooling)
        check_dropout(dropout)
        if not channels or min(channels) < 2 or dim < 1:
            raise ConfigError(
                "channels must name at least one layer of 2 or more, and dim be positive, "
                f"not {list(channels)} and {dim}"
            )
        if not 0 <= halvings <= len(channels):
            raise ConfigError(
                f"halvings must be 0 to the number of layers, {len(channels)}, not {halvings}"
            )
        grid = halved(input.shape[1:], halvings)
        widths = [input.shape[0], *channels]
        self.network = nn.Sequential()
        for layer, width in enumerate(channels):
            stride = 2 if layer < halvings else 1
            self.network.extend(
                [
                    nn.Conv3d(widths[layer], width, 3, stride=stride, padding=1, bias=False),
                    nn.BatchNorm3d(width),
                    nn.ReLU(),
                ]
            )
        set_norm(self.network, norm, grid)
        self.dropout = nn.Dropout(dropout)
        self._pools = pooling.split("-")
        self.project = nn.Linear(len(self._pools) * channels[-1], dim)
        self._encoding = EncodingSpec(dim=dim, tokens=grid[0] * grid[1] * grid[2], grid=grid)

    @property
    def encoding(self) -> EncodingSpec:
        """Tokens on the grid of the last feature map."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the volumes; ``penalties`` changes nothing, there are none."""
        features = self.network(input.values).flatten(2).transpose(1, 2)
        pooled = [self._pool(features, name) for name in self._pools]
        return Encoding(
            tokens=self.project(features.repeat(1, 1, len(self._pools))),
            summary=self.project(self.dropout(torch.cat(pooled, dim=1))),
            present=input.present,
            grid=self._encoding.grid,
        )

    @staticmethod
    def _pool(features: Tensor, name: str) -> Tensor:
        """Return each channel's mean or maximum over the positions; (batch, channel)."""
        return features.mean(dim=1) if name == "mean" else features.amax(dim=1)

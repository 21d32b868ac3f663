"""A 3-D DenseNet-121 for volumes, from MONAI."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from survkit.encoders.volume_trunk import (
    Norm,
    Stem,
    check_choice,
    check_volume,
    encode_feature_map,
    halved,
    import_monai,
    set_norm,
)
from survkit.errors import ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec

_LAYERS = (6, 12, 24, 16)


class DenseNet3DEncoder(nn.Module):
    """Encodes a volume by a dense network; the positions of its last feature map are tokens.

    The summary is their mean. The grid follows from the volume's size: one token per 32 voxels
    along each axis with the standard stem, per 16 or 8 with the small one, rounded up. (MONAI's
    network rounds down between its blocks, which leaves nothing of volumes below 32 voxels; at
    multiples of 32 both are the same.)

    Args:
        input: The volume's channels and size; at least 16 voxels along each axis.
        dim: Width of the tokens, by a linear map; ``None`` keeps the network's, 1024 at width 1.
        width: Factor on the numbers of channels; 1 is DenseNet-121 (11 million weights).
        stem: ``"standard"`` is a 7-voxel convolution of stride 2 and a maximum over 3 voxels of
            stride 2; ``"small"`` a 3-voxel convolution alone, for volumes below some 64 voxels.
        stem_stride: Stride of the small stem's convolution.
        norm: ``"batch"`` for micro-batches of several subjects; ``"group"`` and ``"instance"`` do
            not depend on the other subjects, and so suit micro-batches of one.

    Raises:
        CompositionError: The input is not one volume per subject of that size.
        MissingExtraError: MONAI is not installed.

    Reference: Huang, Liu, van der Maaten, Weinberger (2017), Densely connected convolutional
    networks, CVPR.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        dim: int | None = None,
        width: float = 1.0,
        stem: Stem = "standard",
        stem_stride: Literal[1, 2] = 1,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        check_volume(input, "DenseNet3DEncoder")
        check_choice("stem", stem, Stem)
        growth = int(32 * width)
        if growth < 2 or (dim is not None and dim < 1):
            raise ConfigError(f"width must be at least 1/16 and dim positive, not {width}, {dim}")
        if stem_stride not in (1, 2):
            raise ConfigError(f"stem_stride must be 1 or 2, not {stem_stride}")
        densenet = import_monai("monai.networks.nets.densenet", "densenet3d-121")
        self.network: nn.Sequential = densenet.DenseNet(
            3, input.shape[0], 1, init_features=2 * growth, growth_rate=growth, block_config=_LAYERS
        ).features
        channels = self.network.get_submodule("norm5").num_features
        assert isinstance(channels, int)
        if stem == "small":
            self._make_stem_small(input.shape[0], 2 * growth, stem_stride)
        for name in ("transition1", "transition2", "transition3"):
            self.network.get_submodule(name).pool = _RoundingUpMean()
        grid = halved(input.shape[1:], 3 + (stem_stride - 1 if stem == "small" else 2))
        set_norm(self.network, norm, grid)
        self.project = nn.Identity() if dim is None else nn.Linear(channels, dim)
        tokens = grid[0] * grid[1] * grid[2]
        self._encoding = EncodingSpec(dim=dim or channels, tokens=tokens, grid=grid)

    def _make_stem_small(self, channels: int, features: int, stride: int) -> None:
        stem = nn.Conv3d(channels, features, 3, stride=stride, padding=1, bias=False)
        nn.init.kaiming_normal_(stem.weight)
        self.network.conv0, self.network.pool0 = stem, nn.Identity()

    @property
    def encoding(self) -> EncodingSpec:
        """Tokens on the grid of the last feature map."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the volumes; ``penalties`` changes nothing, there are none."""
        features: Tensor = torch.relu(self.network(input.values))
        return encode_feature_map(features, self.project, input, self._encoding)


class _RoundingUpMean(nn.Module):
    """Mean over 2 x 2 x 2 voxels; what is left over at an edge is averaged by itself."""

    def forward(self, features: Tensor) -> Tensor:
        """Return features (batch, channel, z, y, x) at half the size, rounded up."""
        window = [min(2, size) for size in features.shape[2:]]  # along an axis of 1: nothing to do
        return functional.avg_pool3d(features, window, stride=2, ceil_mode=True)

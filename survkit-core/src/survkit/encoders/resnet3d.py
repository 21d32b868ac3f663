"""A 3-D ResNet-18 for volumes, from MONAI."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

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


class ResNet3DEncoder(nn.Module):
    """Encodes a volume by a residual network; the positions of its last feature map are tokens.

    The summary is their mean. The grid follows from the volume's size: one token per 32 voxels
    along each axis with the standard stem, per 16 or 8 with the small one, rounded up.

    Args:
        input: The volume's channels and size; at least 16 voxels along each axis.
        dim: Width of the tokens, by a linear map; ``None`` keeps the network's, 512 x width.
        width: Factor on all numbers of channels; 1 is ResNet-18 (33 million weights), 0.25 suits
            phantoms and small cohorts.
        stem: ``"standard"`` is a 7-voxel convolution of stride 2 and a maximum over 3 voxels of
            stride 2; ``"small"`` a 3-voxel convolution alone, for volumes below some 64 voxels.
        stem_stride: Stride of the small stem's convolution.
        norm: ``"batch"`` for micro-batches of several subjects; ``"group"`` and ``"instance"`` do
            not depend on the other subjects, and so suit micro-batches of one.

    Raises:
        CompositionError: The input is not one volume per subject of that size.
        MissingExtraError: MONAI is not installed.

    Reference: He, Zhang, Ren, Sun (2016), Deep residual learning for image recognition, CVPR.
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
        check_volume(input, "ResNet3DEncoder")
        check_choice("stem", stem, Stem)
        channels = [int(count * width) for count in (64, 128, 256, 512)]
        if channels[0] < 2 or (dim is not None and dim < 1):
            raise ConfigError(f"width must be at least 1/32 and dim positive, not {width}, {dim}")
        if stem_stride not in (1, 2):
            raise ConfigError(f"stem_stride must be 1 or 2, not {stem_stride}")
        resnet = import_monai("monai.networks.nets.resnet", "resnet3d-18")
        small = stem == "small"
        self.network: nn.Module = resnet.ResNet(
            "basic",
            [2, 2, 2, 2],
            channels,
            n_input_channels=input.shape[0],
            conv1_t_size=3 if small else 7,
            conv1_t_stride=stem_stride if small else 2,
            no_max_pool=small,
            feed_forward=False,
            bias_downsample=False,
        )
        halvings = 3 + (stem_stride - 1 if small else 2)
        grid = halved(input.shape[1:], halvings)
        set_norm(self.network, norm, grid)
        self._pooled = not small
        self.project = nn.Identity() if dim is None else nn.Linear(channels[-1], dim)
        tokens = grid[0] * grid[1] * grid[2]
        self._encoding = EncodingSpec(dim=dim or channels[-1], tokens=tokens, grid=grid)

    @property
    def encoding(self) -> EncodingSpec:
        """Tokens on the grid of the last feature map."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the volumes; ``penalties`` changes nothing, there are none."""
        return encode_feature_map(
            self._feature_map(input.values), self.project, input, self._encoding
        )

    def _feature_map(self, values: Tensor) -> Tensor:
        layers = self.network.get_submodule
        features = layers("act")(layers("bn1")(layers("conv1")(values)))
        if self._pooled:
            features = layers("maxpool")(features)
        for name in ("layer1", "layer2", "layer3", "layer4"):
            features = layers(name)(features)
        result: Tensor = features
        return result

"""A convolutional decoder over the layers of a patch transformer (UNETR)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log2

from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit_robsurv.compared.conv_blocks import ResidualBlock, UpBlock, doubled
from survkit_robsurv.compared.voxels import VoxelSpec


class PatchDecoder(nn.Module):
    """Draws a region from the patches' tokens of evenly spaced layers, and from the images.

    Patches of 2^s voxels take s doublings. The last layer's tokens are the coarsest map; after each
    doubling but the last an earlier layer's tokens, brought to that resolution, are joined, and at
    full resolution the images are.

    Args:
        images: Number of volumes.
        voxels: The grid of patches.
        dim: Width of the tokens.
        layers: Layers of the transformer.
        channels: Width at full resolution, doubled with every coarser level.

    Raises:
        CompositionError: Patches that are no power of 2.
        ConfigError: Fewer layers than doublings.

    Reference: Hatamizadeh et al. (2022), UNETR, WACV, figure 2.
    """

    def __init__(
        self, images: int, voxels: VoxelSpec, dim: int, layers: int, channels: int
    ) -> None:
        super().__init__()
        steps = round(log2(voxels.patch))
        if voxels.patch != 2**steps or steps < 1:
            raise CompositionError(
                "to draw a mask, patches must be of 2, 4, 8, 16, ... voxels, but they are of "
                f"{voxels.patch}; set patch= of robsurv/voxels"
            )
        if layers < steps or channels < 2:
            raise ConfigError(
                f"a decoder of patches of {voxels.patch} voxels reads {steps} layers and needs "
                f"decoder_channels of at least 2, not layers={layers} and {channels}"
            )
        assert voxels.grid is not None
        self.grid = voxels.grid
        self.taken = [round(layers * (step + 1) / steps) - 1 for step in range(steps)]
        widths = [channels * 2**level for level in range(steps)]  # the finest first
        self.image = ResidualBlock(images, widths[0])
        # The first layer taken is brought to the finest level below the image's, and so on.
        self.raises = nn.ModuleList(
            _raised(dim, widths[step + 1], steps - 1 - step) for step in range(steps - 1)
        )
        deeper = [*widths[1:], dim]
        self.ups = nn.ModuleList(
            UpBlock(deeper[level], widths[level], widths[level]) for level in range(steps)
        )
        self.draw = nn.Conv3d(widths[0], 1, 1)

    def forward(self, image: Tensor, layers: Sequence[Tensor]) -> Tensor:
        """Return the logits of the region (batch, 1, z, y, x).

        Args:
            image: (batch, image, z, y, x).
            layers: Tokens after each layer, those of the patches first; (batch, token, dim).
        """
        maps = [self._map(layers[number]) for number in self.taken]
        skips = [self.image(image)]
        skips += [raise_(each) for raise_, each in zip(self.raises, maps, strict=False)]
        features = maps[-1]
        for level in reversed(range(len(self.ups))):
            features = self.ups[level](features, skips[level])
        logits: Tensor = self.draw(features)
        return logits

    def _map(self, tokens: Tensor) -> Tensor:
        """Return the patches' tokens as a feature map (batch, dim, *grid)."""
        z, y, x = self.grid
        patches = tokens[:, : z * y * x]
        return patches.transpose(1, 2).reshape(len(tokens), -1, z, y, x)


def _raised(dim: int, channels: int, doublings: int) -> nn.Sequential:
    """Return layers that bring tokens of width ``dim`` to a finer resolution."""
    widths = [dim, *[channels] * doublings]
    layers = nn.Sequential()
    for before, width in pairwise(widths):
        layers.extend([doubled(before, width), ResidualBlock(width, width)])
    return layers

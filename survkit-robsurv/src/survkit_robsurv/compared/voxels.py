"""Volumes handed on as they are, cut into patches that lie on a grid."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class VoxelSpec(EncodingSpec):
    """A promise of raw voxels: each token is a cube of them.

    Attributes:
        patch: Edge of the cube in voxels; ``dim`` is its third power.
    """

    patch: int


class VoxelsEncoder(nn.Module):
    """Cuts a volume into cubes of voxels, one token each, and changes nothing.

    For fusions that read several volumes of one grid as the channels of one image, or a mask as
    what they learn to draw: they put the cubes together again, which is exact. Nothing is
    trainable; the summary is the mean cube.

    Args:
        input: One volume of one channel, its axes multiples of ``patch``.
        patch: Edge of a cube. Only ``patch-transformer`` makes more of it than a way to hand
            voxels on: there it is the size of the patches that become tokens.

    Raises:
        CompositionError: The input is not such a volume.
    """

    def __init__(self, input: InputSpec, *, patch: int = 16) -> None:
        super().__init__()
        if patch < 1:
            raise ConfigError(f"patch must be at least 1 voxel, not {patch}")
        if input.kind != "volume" or input.has_tokens:
            raise CompositionError(
                "VoxelsEncoder needs a volume modality with one volume per subject, but this one "
                f"is a {input.kind}{' with many arrays per subject' if input.has_tokens else ''}; "
                "tabular fits tables, vector fits precomputed embeddings"
            )
        if input.shape[0] != 1:
            raise CompositionError(
                f"VoxelsEncoder needs a volume of one channel, not {input.shape[0]}; declare each "
                "channel as a modality of its own (channel: in the cohort file)"
            )
        if any(axis % patch for axis in input.shape[1:]):
            raise CompositionError(
                f"VoxelsEncoder needs a volume whose axes are multiples of patch={patch}, but it "
                f"is {' x '.join(map(str, input.shape[1:]))}; prepare another size or set patch="
            )
        grid = tuple(axis // patch for axis in input.shape[1:])
        self._encoding = VoxelSpec(
            dim=patch**3, tokens=grid[0] * grid[1] * grid[2], grid=grid, patch=patch
        )

    @property
    def encoding(self) -> VoxelSpec:
        """One token per cube, on their grid."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Cut the volumes; ``penalties`` changes nothing, there are none."""
        tokens = to_patches(input.values[:, 0], self._encoding.patch)
        return Encoding(
            tokens=tokens,
            summary=tokens.mean(dim=1),
            present=input.present,
            grid=self._encoding.grid,
        )


def to_patches(volume: Tensor, patch: int) -> Tensor:
    """Return the cubes (batch, token, patch^3) of volumes (batch, z, y, x), slowest axis first."""
    batch, *axes = volume.shape
    z, y, x = (axis // patch for axis in axes)
    cubes = volume.reshape(batch, z, patch, y, patch, x, patch).permute(0, 1, 3, 5, 2, 4, 6)
    return cubes.reshape(batch, z * y * x, patch**3)


def to_volume(tokens: Tensor, grid: tuple[int, ...], patch: int) -> Tensor:
    """Return the volumes (batch, z, y, x) that :func:`to_patches` cut."""
    z, y, x = grid
    cubes = tokens.reshape(len(tokens), z, y, x, patch, patch, patch).permute(0, 1, 4, 2, 5, 3, 6)
    return cubes.reshape(len(tokens), z * patch, y * patch, x * patch)

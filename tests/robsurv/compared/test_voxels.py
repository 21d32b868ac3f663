"""Raw voxels as tokens: the contract, and that cutting and joining are exact."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from survkit.errors import CompositionError
from survkit.flow import ModalityInput
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_robsurv.compared.voxels import VoxelsEncoder, to_patches, to_volume


class TestVoxels(EncoderConformance):
    component = VoxelsEncoder
    input = InputSpec(kind="volume", shape=(1, 8, 4, 12))
    settings: ClassVar = {"patch": 4}


@pytest.mark.parametrize(("grid", "patch"), [((2, 1, 3), 4), ((3, 5, 2), 1), ((1, 1, 1), 6)])
def test_cubes_are_joined_to_the_volume_they_were_cut_from(
    grid: tuple[int, ...], patch: int
) -> None:
    """Bit for bit, and the other way round."""
    volume = torch.randn(2, *(axis * patch for axis in grid))

    tokens = to_patches(volume, patch)

    assert tokens.shape == (2, grid[0] * grid[1] * grid[2], patch**3)
    assert torch.equal(to_volume(tokens, grid, patch), volume)
    assert torch.equal(to_patches(to_volume(tokens, grid, patch), patch), tokens)


def test_tokens_lie_on_the_grid_slowest_axis_first() -> None:
    """Token (1, 0, 2) of a grid of (2, 1, 3) is the cube that begins at voxel (4, 0, 8)."""
    volume = torch.arange(8 * 4 * 12, dtype=torch.float32).reshape(1, 1, 8, 4, 12)
    encoder = VoxelsEncoder(InputSpec(kind="volume", shape=(1, 8, 4, 12)), patch=4)

    encoding = encoder(ModalityInput(volume, torch.ones(1, dtype=torch.bool)))

    assert encoding.grid == (2, 1, 3)
    assert torch.equal(encoding.tokens[0, 1 * 3 + 2], volume[0, 0, 4:8, 0:4, 8:12].flatten())


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((1, 8, 8, 10), "multiples of patch=4.*8 x 8 x 10"), ((2, 8, 8, 8), "one channel, not 2")],
)
def test_other_volumes_are_refused(shape: tuple[int, ...], reason: str) -> None:
    """Nothing is padded or merged in silence."""
    with pytest.raises(CompositionError, match=reason):
        VoxelsEncoder(InputSpec(kind="volume", shape=shape), patch=4)

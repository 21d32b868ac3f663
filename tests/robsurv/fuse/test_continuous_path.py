"""The continuous path against a plain transcription of CBAM."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from survkit.errors import ConfigError
from survkit_robsurv.fuse.cbam import CBAM
from survkit_robsurv.fuse.continuous_path import ContinuousPath

GRID = (3, 2, 4)


def transcribed(cbam: CBAM, volume: Tensor) -> Tensor:
    """Return eq. 2 and 3 of Woo et al. for one volume (channel, z, y, x), place by place."""
    channels = len(volume)
    average = torch.stack([volume[c].mean() for c in range(channels)])
    maximum = torch.stack([volume[c].max() for c in range(channels)])

    def perceptron(vector: Tensor) -> Tensor:
        return cbam.widen.weight @ (cbam.narrow.weight @ vector).clamp(min=0)

    gate = 1 / (1 + (-(perceptron(average) + perceptron(maximum))).exp())
    refined = torch.stack([gate[c] * volume[c] for c in range(channels)])
    planes = torch.stack([refined.mean(0), refined.max(0).values])
    kernel = cbam.place.weight[0]
    reach = kernel.shape[-1] // 2
    result = torch.zeros_like(refined)
    for z, y, x in torch.cartesian_prod(*(torch.arange(axis) for axis in GRID)).tolist():
        score = torch.zeros((), dtype=volume.dtype)
        for dz, dy, dx in torch.cartesian_prod(*(torch.arange(-reach, reach + 1),) * 3).tolist():
            place = (z + dz, y + dy, x + dx)
            if all(0 <= at < axis for at, axis in zip(place, GRID, strict=True)):
                weight = kernel[:, dz + reach, dy + reach, dx + reach]
                score = score + weight @ planes[(slice(None), *place)]
        result[:, z, y, x] = refined[:, z, y, x] / (1 + (-score).exp())
    return result


def test_block_attention_is_that_of_its_paper() -> None:
    """Channel attention, then spatial attention, in loops over channels and places."""
    torch.manual_seed(0)
    cbam = CBAM(6, GRID, reduction=2, kernel=3).double()
    tokens = torch.randn(2, 24, 6, dtype=torch.float64)

    with torch.no_grad():
        weighed = cbam(tokens)
        for row in range(2):
            volume = tokens[row].T.reshape(6, *GRID)
            expected = transcribed(cbam, volume).reshape(6, 24).T
            torch.testing.assert_close(weighed[row], expected)


def test_a_kernel_wider_than_the_grid_is_refused() -> None:
    """2 n - 1 places reach from end to end of n; 999 would be 2e9 weights, all but few on zeros."""
    assert CBAM(6, (3, 9, 4), reduction=2, kernel=17).place.weight.shape[-1] == 17
    assert CBAM(6, (1, 1, 1), reduction=2, kernel=7).place.weight.shape[-1] == 7  # the paper's
    with pytest.raises(ConfigError, match=r"at most 17 on a grid of 3 x 9 x 4 places.* not 19"):
        CBAM(6, (3, 9, 4), reduction=2, kernel=19)
    with pytest.raises(ConfigError, match=r"at most 7 on a grid of 3 x 2 x 4 places.* not 999"):
        CBAM(6, GRID, reduction=2, kernel=999)


def built(**settings: Any) -> ContinuousPath:
    torch.manual_seed(0)
    chosen = {"dim": 5, "reduction": 2, "kernel": 3, "pooling": "avg"}
    path = ContinuousPath((4, 2), GRID, **(chosen | settings)).double()
    with torch.no_grad():
        for vector in path.absent:
            vector.normal_()
    return path


@pytest.mark.parametrize("pooling", ["avg", "avg+max"])
def test_it_pools_a_convolution_of_one_voxel(pooling: str) -> None:
    """Block attention of the channels side by side, a 1 x 1 x 1 convolution, a global pool."""
    path = built(pooling=pooling)
    ct, pet = torch.randn(2, 24, 4).double(), torch.randn(2, 24, 2).double()
    convolution = torch.nn.Conv3d(6, 5, 1).double()
    with torch.no_grad():
        convolution.weight.copy_(path.project.weight.reshape(5, 6, 1, 1, 1))
        convolution.bias.copy_(path.project.bias)  # type: ignore[union-attr]

    vector = path([ct, pet], torch.ones(2, 2, dtype=torch.bool))

    weighed = path.cbam(torch.cat([ct, pet], dim=2)).transpose(1, 2).unflatten(2, GRID)
    volume = convolution(weighed)
    expected = volume.mean((2, 3, 4))
    if pooling == "avg+max":
        expected = expected + volume.amax((2, 3, 4))
    torch.testing.assert_close(vector, expected)


def test_a_learned_vector_stands_for_an_absent_modality() -> None:
    """At every place; whatever was there reaches nothing."""
    path = built()
    ct, pet = torch.randn(2, 24, 4).double(), torch.randn(2, 24, 2).double()
    everybody = torch.ones(2, 2, dtype=torch.bool)

    vector = path([ct, pet * torch.nan], torch.tensor([[True, False]] * 2))

    stand_in = path.absent[1].expand(2, 24, 2)
    torch.testing.assert_close(vector, path([ct, stand_in], everybody), rtol=0, atol=0)


def test_absence_is_zeros_at_first() -> None:
    """The stand-in is learned from there."""
    path = ContinuousPath((4, 2), GRID, dim=5, reduction=2, kernel=3, pooling="avg")

    assert [bool(each.any()) for each in path.absent] == [False, False]

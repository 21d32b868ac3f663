"""Which voxels a token of a grid stands for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from survkit.encoders.cnn3d import CNN3DEncoder
from survkit.explaining.token_grid import central_voxel, grid_over_volume, mask_share, to_voxels
from survkit.specs import EncodingSpec, InputSpec

VOLUME = InputSpec(kind="volume", shape=(1, 16, 20, 24))


def test_a_token_is_shown_at_its_voxels_and_nowhere_else() -> None:
    """Token (1, 0, 2) of a grid that divides the volume is one block of 4 x 5 x 6 voxels."""
    cells = np.zeros((4, 4, 4))
    cells[1, 0, 2] = 7.0

    shown = to_voxels(cells, (16, 20, 24))

    expected = np.zeros((16, 20, 24))
    expected[4:8, 0:5, 12:18] = 7.0
    assert np.array_equal(shown, expected)


def test_a_grid_that_does_not_divide_leaves_no_voxel_out() -> None:
    """Each voxel takes the cell that its middle lies in; cells differ by one voxel at most."""
    cells = np.arange(27).reshape(3, 3, 3)

    shown = to_voxels(cells, (7, 8, 3))

    middles = (np.arange(7) + 0.5) * 3 / 7
    assert np.array_equal(shown[:, 0, 0], cells[:, 0, 0][middles.astype(int)])
    sizes = np.bincount(to_voxels(np.arange(3)[:, None, None], (7, 1, 1)).ravel())
    assert np.ptp(sizes) <= 1
    assert set(shown.ravel()) == set(range(27))


@pytest.mark.parametrize("grid", [(4, 4, 4), (3, 5, 2), (1, 1, 1), (7, 8, 9)])
def test_shares_of_a_mask_are_those_counted(grid: tuple[int, int, int]) -> None:
    """Voxel by voxel, for grids that divide the volume and others."""
    mask = np.random.default_rng(0).uniform(size=(7, 8, 9)) < 0.3
    token = to_voxels(np.arange(np.prod(grid)).reshape(grid), (7, 8, 9)) if max(grid) <= 9 else None
    assert token is not None
    counted = [mask[token == number].mean() for number in range(int(np.prod(grid)))]

    np.testing.assert_allclose(mask_share(mask, grid), counted, rtol=1e-6)


def test_a_token_holds_its_central_voxel() -> None:
    """Of every token of a grid that does not divide the volume."""
    token = to_voxels(np.arange(3 * 5 * 2).reshape(3, 5, 2), (7, 8, 9))

    for number in range(30):
        assert token[central_voxel(number, (3, 5, 2), (7, 8, 9))] == number


def test_a_grid_lies_over_a_volume_that_is_not_cut_before() -> None:
    """Of an encoder that prepares its input nobody knows, unless it shows volumes."""
    spec = EncodingSpec(dim=2, tokens=8, grid=(2, 2, 2))
    preparing: Any = SimpleNamespace(
        encoding=spec, prepare=lambda sample: sample, preparation_fingerprint=lambda: ""
    )
    promising: Any = SimpleNamespace(**vars(preparing), volumes=lambda values: {})
    flat: Any = SimpleNamespace(encoding=EncodingSpec(dim=2, tokens=4, grid=(2, 2)))
    fine: Any = SimpleNamespace(encoding=EncodingSpec(dim=2, tokens=17, grid=(17, 1, 1)))

    assert grid_over_volume(CNN3DEncoder(VOLUME), VOLUME) == (4, 5, 6)
    assert grid_over_volume(preparing, VOLUME) is None
    assert grid_over_volume(promising, VOLUME) == (2, 2, 2)
    assert grid_over_volume(flat, VOLUME) is None
    assert grid_over_volume(fine, VOLUME) is None, "finer than the volume"

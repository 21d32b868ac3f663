"""HU to what the backbone sees, and the moments of the training pixels."""

from __future__ import annotations

from functools import reduce
from itertools import permutations
from operator import add

import numpy as np
import pytest
import torch

from survkit.errors import ConfigError, DataError
from survkit_slicetention.preparation.intensity import PixelMoments, scaled

HU = torch.tensor([-1100.0, -1000.0, -300.0, 400.0, 900.0])


def test_clip_minmax_maps_the_window_to_0_and_1() -> None:
    """Mean and SD play no part."""
    expected = torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0])

    torch.testing.assert_close(scaled(HU, "clip_minmax", 7.0, 0.0), expected)


def test_clip_zscore_clips_before_it_standardises() -> None:
    """(clipped - mean) / SD."""
    expected = torch.tensor([-5.0, -5.0, 2.0, 9.0, 9.0])

    torch.testing.assert_close(scaled(HU, "clip_zscore", -500.0, 100.0), expected)


def test_zscore_takes_raw_hu() -> None:
    """As the paper's code does; tensors of mean and SD give the same."""
    expected = torch.tensor([-6.0, -5.0, 2.0, 9.0, 14.0])

    torch.testing.assert_close(scaled(HU, "zscore", -500.0, 100.0), expected)
    torch.testing.assert_close(
        scaled(HU, "zscore", torch.tensor(-500.0), torch.tensor(100.0)), expected
    )


@pytest.mark.parametrize("mode", ["clip_zscore", "zscore"])
def test_training_pixels_have_mean_0_and_sd_1(mode: str) -> None:
    """With the moments that belong to the mode."""
    stack = torch.randn(6, 9, 9, generator=torch.Generator().manual_seed(0)) * 700 - 400
    moments = PixelMoments.of(stack, mode)  # type: ignore[arg-type]

    values = scaled(stack, mode, moments.mean, moments.sd)  # type: ignore[arg-type]

    assert float(values.mean()) == pytest.approx(0, abs=1e-6)
    assert float(values.std(correction=0)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("sd", [0.0, -1.0, float("nan"), torch.tensor([1.0, 0.0])])
def test_an_sd_of_0_is_refused(sd: float) -> None:
    """Nothing can be divided by it."""
    with pytest.raises(DataError, match="must be above 0"):
        scaled(HU[:2], "zscore", 0.0, sd)


def test_an_unknown_mode_is_refused() -> None:
    """All known ones are named."""
    with pytest.raises(ConfigError, match="clip_zscore, zscore, clip_minmax, not 'minmax'"):
        scaled(HU, "minmax", 0.0, 1.0)  # type: ignore[arg-type]


def test_moments_are_those_of_all_pixels_at_once_in_any_order() -> None:
    """Stacks of different length and level, against NumPy in float64."""
    generator = torch.Generator().manual_seed(1)
    stacks = [
        torch.randn(n, 5, 7, generator=generator) * spread + level
        for n, spread, level in ((3, 10.0, 90000.0), (1, 0.1, 90001.0), (8, 300.0, 89000.0))
    ]
    pixels = torch.cat([stack.flatten() for stack in stacks]).double().numpy()

    for order in permutations(stacks):
        moments = reduce(add, [PixelMoments.of(stack, "zscore") for stack in order], PixelMoments())
        assert moments.count == pixels.size
        assert moments.mean == pytest.approx(np.mean(pixels), rel=1e-12)
        assert moments.sd == pytest.approx(np.std(pixels), rel=1e-12)


def test_merging_is_associative() -> None:
    """So that workers may gather parts."""
    first, second, third = (
        PixelMoments.of(torch.arange(float(n), 3.0 * n)[None, None]) for n in (5, 11, 40)
    )

    left, right = (first + second) + third, first + (second + third)

    assert left.count == right.count
    assert left.mean == pytest.approx(right.mean, rel=1e-12)
    assert left.sd == pytest.approx(right.sd, rel=1e-12)


def test_moments_see_what_the_mode_sees() -> None:
    """Clipped values by default."""
    assert PixelMoments.of(HU).mean == pytest.approx((-1000 - 1000 - 300 + 400 + 400) / 5)
    assert PixelMoments.of(HU, "zscore").mean == pytest.approx(float(HU.double().mean()))


def test_what_has_no_moments_is_refused() -> None:
    """No stack yet, an empty one, and values that are not finite."""
    with pytest.raises(DataError, match="no pixel are undefined"):
        _ = PixelMoments().sd
    with pytest.raises(DataError, match="need a pixel"):
        PixelMoments.of(torch.zeros(0, 4, 4))
    with pytest.raises(DataError, match="not finite"):
        PixelMoments.of(torch.tensor([[[0.0, float("nan")]]]))

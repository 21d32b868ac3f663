"""Turned and mirrored slices."""

from __future__ import annotations

from math import pi, radians

import numpy as np
import pytest
import torch
from scipy.ndimage import rotate  # type: ignore[attr-defined]
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit_slicetention.preparation.augment import augmented, turned


def generator(seed: int = 0) -> torch.Generator:
    """A fresh source of randomness."""
    return torch.Generator().manual_seed(seed)


def stack(count: int = 5, height: int = 12, width: int = 12) -> Tensor:
    """Random slices."""
    return torch.randn(count, height, width, generator=generator(99))


def test_a_rate_of_0_changes_no_bit() -> None:
    """Nothing is drawn that could."""
    slices = stack()

    assert torch.equal(augmented(slices, generator(), rate=0.0), slices)


def test_a_quarter_turn_is_counter_clockwise() -> None:
    """Pixel onto pixel, also in a slice of an even number of rows."""
    slices = stack()[:, None]

    actual = turned(slices, torch.full((5,), pi / 2), torch.zeros(5, dtype=torch.bool), 0.0)

    torch.testing.assert_close(actual, torch.rot90(slices, 1, (2, 3)), atol=1e-5, rtol=0)


def test_any_angle_agrees_with_scipy_in_the_middle_of_an_oblong_slice() -> None:
    """A smooth pattern, bilinear in both; SciPy's angle runs the same way."""
    rows, columns = np.mgrid[:41, :61]
    pattern = np.exp(-((rows - 14) ** 2 + (columns - 37) ** 2) / 60) + 0.01 * columns
    expected = rotate(pattern, 17.0, reshape=False, order=1)

    actual = turned(
        torch.from_numpy(pattern)[None, None],
        torch.tensor([radians(17.0)], dtype=torch.float64),
        torch.tensor([False]),
        0.0,
    )

    np.testing.assert_allclose(actual[0, 0, 8:-8, 18:-18], expected[8:-8, 18:-18], atol=1e-9)


def test_mirroring_comes_after_turning() -> None:
    """The two do not commute."""
    slices = stack()[:, None]
    angle = torch.linspace(-1, 1, 5)
    no, yes = torch.zeros(5, dtype=torch.bool), torch.ones(5, dtype=torch.bool)

    actual = turned(slices, angle, yes, 0.0)

    torch.testing.assert_close(actual, turned(slices, angle, no, 0.0).flip(3), atol=1e-5, rtol=0)


def test_outside_stands_the_fill() -> None:
    """Corners turn in from outside; a constant slice filled with itself stays constant."""
    ones = torch.ones(1, 1, 20, 20)
    angle, no = torch.tensor([pi / 4]), torch.tensor([False])

    assert turned(ones, angle, no, -3.0)[0, 0, 0, 0] == pytest.approx(-3.0)
    torch.testing.assert_close(turned(ones, angle, no, 1.0), ones)


def test_the_same_generator_gives_the_same_slices() -> None:
    """And another one gives others."""
    slices = stack(40)

    first, second = augmented(slices, generator(3)), augmented(slices, generator(3))

    assert torch.equal(first, second)
    assert not torch.equal(first, augmented(slices, generator(4)))


def test_the_share_of_touched_and_mirrored_slices() -> None:
    """Each slice is drawn by itself: rate 0.2, of these half are mirrored (within 4 SD)."""
    slices = torch.tensor([[1.0, 2.0, 3.0]] * 3).expand(20000, 3, 3).contiguous()

    moved = augmented(slices, generator(), degrees=20.0)
    touched = (moved != slices).flatten(1).any(dim=1)
    mirrored = moved[:, 1, 0] > moved[:, 1, 2]

    assert float(touched.float().mean()) == pytest.approx(0.2, abs=0.012)
    assert float(mirrored[touched].float().mean()) == pytest.approx(0.5, abs=0.032)
    assert not mirrored[~touched].any()


def test_angles_are_even_between_the_limits() -> None:
    """Read off a ramp that was turned: mean 0, SD 20 / sqrt(3), none beyond 20 degrees."""
    size = 31
    ramp = torch.arange(size, dtype=torch.float64)[None, None].expand(4000, size, size)
    moved = augmented(ramp.contiguous(), generator(), rate=1.0, flip=0.0)
    middle = size // 2
    down = moved[:, middle + 1, middle] - moved[:, middle - 1, middle]
    across = moved[:, middle, middle + 1] - moved[:, middle, middle - 1]

    angle = torch.rad2deg(torch.atan2(-down, across))

    assert float(angle.abs().max()) <= 20 + 1e-6
    assert float(angle.mean()) == pytest.approx(0, abs=4 * 11.55 / 4000**0.5)
    assert float(angle.std()) == pytest.approx(20 / 3**0.5, rel=0.03)


def test_channels_of_a_slice_move_together() -> None:
    """(token, c, y, x) is (token, y, x) per channel."""
    slices = stack(30)

    moved = augmented(torch.stack([slices, 2 * slices], dim=1), generator(), rate=0.7)

    torch.testing.assert_close(moved[:, 0], augmented(slices, generator(), rate=0.7))
    torch.testing.assert_close(moved[:, 1], 2 * moved[:, 0])


def test_the_input_is_left_alone() -> None:
    """A cached stack is read again in the next epoch."""
    slices = stack()
    before = slices.clone()

    augmented(slices, generator(), rate=1.0)

    assert torch.equal(slices, before)


def test_wrong_settings_and_shapes_are_refused() -> None:
    """Probabilities, angles, axes and kinds of numbers."""
    for settings, message in (
        ({"rate": 1.2}, "rate is a probability"),
        ({"flip": -0.1}, "flip is a probability"),
        ({"degrees": -5.0}, "degrees is the largest angle"),
    ):
        with pytest.raises(ConfigError, match=message):
            augmented(stack(), generator(), **settings)
    for wrong in (torch.zeros(4, 4), torch.zeros(2, 4, 4, dtype=torch.int16)):
        with pytest.raises(DataError, match="floating point"):
            augmented(wrong, generator())

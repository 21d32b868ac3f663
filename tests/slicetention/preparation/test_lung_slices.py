"""Which slices and which box hold the lungs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit_slicetention.preparation.lung_slices import lung_box, lung_slices


def mask_of(*counts: int) -> NDArray[np.bool_]:
    """Slices of 10 x 10 pixels with so many pixels of lung."""
    mask = np.zeros((len(counts), 100), dtype=bool)
    for row, count in zip(mask, counts, strict=True):
        row[:count] = True
    return mask.reshape(-1, 10, 10)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 1, 2, 30, 2, 1), slice(2, 5)),
        ((0, 5, 0, 1, 5, 0), slice(1, 5)),
        ((0, 0, 9), slice(2, 3)),
        ((9, 9, 9), slice(0, 3)),
        ((0, 1, 9, 40), slice(2, 4)),
    ],
    ids=["2-percent-is-enough", "gaps-stay", "one-slice", "all", "last-slice-beyond-the-share"],
)
def test_first_to_last_slice_with_two_percent(counts: tuple[int, ...], expected: slice) -> None:
    """The paper's rule, and the case on which its published code fails: the last slice has lung."""
    assert lung_slices(mask_of(*counts)) == expected


def test_another_share() -> None:
    """A slice without a voxel of lung is never kept, not even at a share of 0."""
    mask = mask_of(0, 1, 20, 1, 0)

    assert lung_slices(mask, 0.2) == slice(2, 3)
    assert lung_slices(mask, 0.0) == slice(1, 4)


def test_too_little_lung_is_refused_with_what_there_is() -> None:
    """An empty mask as well."""
    with pytest.raises(DataError, match=r"at least 2.00% .* of 3 slices has 1.00%"):
        lung_slices(mask_of(0, 1, 1))
    with pytest.raises(DataError, match=r"has 0.00%"):
        lung_slices(mask_of(0, 0))


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_0_to_1(least: float) -> None:
    """Percent are not shares."""
    with pytest.raises(DataError, match="from 0 to 1"):
        lung_slices(mask_of(5), least)


def test_one_box_over_all_slices() -> None:
    """The smallest one, of rows and columns."""
    mask = np.zeros((3, 20, 30), dtype=bool)
    mask[0, 4, 9] = mask[2, 11, 7] = mask[1, 6, 21] = True

    assert lung_box(mask) == (slice(4, 12), slice(7, 22))


def test_no_box_around_nothing() -> None:
    """An empty mask is refused."""
    with pytest.raises(DataError, match="it is empty"):
        lung_box(np.zeros((2, 3, 4), dtype=bool))


@pytest.mark.parametrize(
    "mask", [np.ones((3, 4), bool), np.ones((2, 3, 4)), np.ones((0, 3, 4), bool)]
)
def test_what_is_no_mask_is_refused(mask: NDArray[np.bool_]) -> None:
    """Three axes of bool, with a voxel at least."""
    for function in (lung_slices, lung_box):
        with pytest.raises(DataError, match="is bool"):
            function(mask)  # type: ignore[operator]

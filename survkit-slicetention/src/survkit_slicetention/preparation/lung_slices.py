"""Which slices and which box hold the lungs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError

LEAST_LUNG = 0.02
"""Share of a slice that is lung, from which on a slice belongs to the lungs."""


def lung_slices(mask: NDArray[np.bool_], least: float = LEAST_LUNG) -> slice:
    """Return the slices from the first to the last with at least a share of lung area.

    Thinner slices in between stay, so the stack has no gap. The area of a slice is that of the
    whole image, room included, so the share depends on the field of view. A last slice that itself
    is beyond the share is kept as any other (the paper's published code fails there).

    Args:
        mask: Lungs, bool (z, y, x).
        least: The share, from 0 (every slice with a voxel of lung) to 1.

    Raises:
        DataError: Not a mask of three axes, a share outside 0 to 1, or no slice with so much lung.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20, there "exceeds 2 %".
    """
    _check_mask(mask)
    if not 0 <= least <= 1:
        raise DataError(f"the least share of lung is from 0 to 1, not {least}")
    area = np.count_nonzero(mask, axis=(1, 2)) / mask[0].size
    kept = np.flatnonzero((area >= least) & (area > 0))
    if len(kept) == 0:
        raise DataError(
            f"no slice has a lung area of at least {least:.2%} of the slice; the largest of "
            f"{len(area)} slices has {area.max():.2%}; check the mask, or lower least_lung"
        )
    return slice(int(kept[0]), int(kept[-1]) + 1)


def lung_box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest box that holds the lungs of all slices given.

    Args:
        mask: Lungs of the kept slices, bool (z, y, x).

    Raises:
        DataError: Not a mask of three axes, or an empty one.
    """
    _check_mask(mask)
    rows, columns = np.flatnonzero(mask.any(axis=(0, 2))), np.flatnonzero(mask.any(axis=(0, 1)))
    if len(rows) == 0:
        raise DataError("a box around the lungs needs a mask with lung, but it is empty")
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _check_mask(mask: NDArray[np.bool_]) -> None:
    if mask.ndim != 3 or 0 in mask.shape or mask.dtype != np.bool_:
        raise DataError(
            f"a lung mask is bool (z, y, x) with a voxel at least, not {mask.dtype} {mask.shape}"
        )

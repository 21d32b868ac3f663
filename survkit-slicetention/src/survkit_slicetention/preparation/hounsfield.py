"""Refusing values that are not Hounsfield units: air -1000, water 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError

AIR_BELOW, TISSUE = -400.0, (-200.0, 200.0)
"""HU below which only air and lung lie; HU between which soft tissue and fat lie."""
LEAST_SHARE = 0.005
"""A chest has at least this share of its voxels in either range, however it was cropped."""


def check_hounsfield(volume: NDArray[np.float32]) -> None:
    """Refuse a volume that cannot be a chest CT in HU.

    Scanner values without their intercept, images scaled to [0, 1] and the like have no voxels
    where lung or soft tissue should be.

    Raises:
        DataError: Not three axes, a value that is not finite, or too few voxels (0.5 %) below -400
            HU or between -200 and 200 HU.
    """
    if volume.ndim != 3 or 0 in volume.shape:
        raise DataError(f"a CT volume has three axes (z, y, x), but this one is {volume.shape}")
    low, high = float(volume.min()), float(volume.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(
            "the CT holds values that are not finite; a voxel without a value must be known, not "
            "guessed: export the series again"
        )
    shares = {
        f"below {AIR_BELOW:g} (air and lung)": np.count_nonzero(volume < AIR_BELOW),
        f"between {TISSUE[0]:g} and {TISSUE[1]:g} (soft tissue)": np.count_nonzero(
            (volume > TISSUE[0]) & (volume < TISSUE[1])
        ),
    }
    for where, count in shares.items():
        if count < LEAST_SHARE * volume.size:
            raise DataError(
                f"a chest CT in HU (air -1000, water 0) was expected, but the values range from "
                f"{low:g} to {high:g} and {count / volume.size:.2%} of them lie {where}; apply the "
                "rescale slope and intercept, and give the CT without a window"
            )
